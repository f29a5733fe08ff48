#!/bin/sh
# Tries a cluster on this machine: a master and two workers on loopback, one run, and all of it ended again.
#
#   try.sh INPUT --out OUT [more options of `ringfence run`]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d)
port=${PORT:-7078}
export RINGFENCE_SPARK_MASTER="spark://127.0.0.1:$port"
export SPARK_HOME="$(python3 -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__))')"
export JAVA_HOME="$(python3 -c 'import pathlib, sys; from ringfence.engine.jvm import java_home
print(java_home(pathlib.Path(sys.argv[1])))' "$place")"
export SPARK_LOCAL_IP=127.0.0.1 SPARK_WORKER_DIR="$place/work" SPARK_LOCAL_DIRS="$place/local"
package=org.apache.spark.deploy
started=
end() {
  # Only what was started here, by its number.
  for number in $started; do kill "$number" 2>/dev/null || true; done
  wait
  rm -rf "$place"
}
trap end EXIT INT TERM
start() {
  name=$1
  shift
  "$SPARK_HOME/bin/spark-class" "$@" >"$place/$name.log" 2>&1 &
  started="$started $!"
}
answers() {
  until grep -q "$2" "$place/$1.log"; do
    tries=$((${tries:-0} + 1))
    [ "$tries" -lt 120 ] || { cat "$place/$1.log" >&2; exit 1; }
    sleep 1
  done
}
start master $package.master.Master --host 127.0.0.1 --port "$port" --webui-port 0
answers master "I have been elected leader"
for worker in one two; do
  start $worker $package.worker.Worker --host 127.0.0.1 --webui-port 0 \
    --cores 1 --memory 2g --work-dir "$place/work-$worker" "$RINGFENCE_SPARK_MASTER"
done
for worker in one two; do answers $worker "Successfully registered with master"; done
echo "A master and two workers answer on loopback." >&2
"$here/submit.sh" "$@"
echo "Executors that worked: $(ls -d "$place"/work-*/app-*/* | wc -l)" >&2
