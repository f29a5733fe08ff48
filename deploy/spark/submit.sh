#!/bin/sh
# Links accounts on a Spark cluster: submit.sh INPUT --out OUT [more options of `ringfence run`]
#
# The driver is this process. INPUT is read here; OUT must lie in a folder that every node sees under the same path.
set -eu
: "${RINGFENCE_SPARK_MASTER:?Name the master, such as spark://head:7077, or yarn}"
# What the executors start; the same place on every node, with the same packages as here.
export PYSPARK_PYTHON="${PYSPARK_PYTHON:-$(command -v python3)}"
export SPARK_CONF_DIR="${SPARK_CONF_DIR:-$(cd "$(dirname "$0")/conf" && pwd)}"
exec ringfence run "$@" --engine spark
