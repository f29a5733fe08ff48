"""How well tactics of prompts are told, on public prompts that taught nothing to what is measured.

Run ``python benchmarks/tactics.py`` for the tables; ``--write`` also trains on all collections and writes
the weights. Data: the folders ``prompts`` and ``templates`` of ``RINGFENCE_SHARED_DATA`` (default
``../shared/data``).

What is held out from what:

- The rules of the lexicon were written with ``seed_tasks``, both ``gpteacher`` files and every second data
  set of T0 in view (*seen*), and committed before any other prompt was labelled; of the well-known judge and
  Alpaca prompts and two jailbreaks the openings had been read. One revision followed, of the rules of
  ``code_variants``, which errors in ``code_alpaca`` suggested; figures of that label on that collection are
  therefore not held out.
- A linear model is tested on a collection by training it on the others, without any of the same maker.
  Which features it may use was decided with such tables in view. There is one public collection of
  jailbreaks: where the model's recall is measured on it, whole groups of near-duplicates are held out,
  which is weaker.
- No public prompts carry the other labels in numbers. Simulated prompts in five languages, written by others
  and for another purpose, say whether languages get the same labels; en, es and zh were seen, de and fr not.

Rows of ``code_alpaca`` were judged by hand, by the definition in
:mod:`ringfence.graphbuild.templates.tactics`: every labelled row and a random sample of the others. Recall is
estimated from the two shares.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression

from ringfence.graphbuild.templates.tactics import LABELS, THRESHOLD, lexicon, linear, tactics
from ringfence.graphbuild.templates.tactics.reading import concepts, read
from ringfence.worlds.phrases import PHRASEBOOKS, TACTICS

Reals = npt.NDArray[np.float64]
_SEEN_T0 = ("adversarial", "common", "dream", "qasc", "quoref", "samsum", "trec", "yelp")
_TAUGHT = "jailbreak"
_FALSE_RATE = 0.005
"""Share of any one collection trained on that a linear model may label wrongly: it sets the threshold."""
_FOLDS, _PER_T0_TEMPLATE, _SAME, _COMMON = 5, 20, 0.3, 0.95
_OF_WORLDS = {
    "reasoning_traces": "reasoning_trace",
    "rubric_grading": "rubric_grading",
    "tool_use": "tool_traces",
    "code": "code_variants",
    "jailbreak_framing": "jailbreak",
    "censorship_safe_rewrites": "answer_rewriting",
    "answer_rewriting": "answer_rewriting",
    "instruction_generation": "instruction_generation",
}
"""Tactics of the simulated worlds → labels; of the others of theirs we have none."""

# Rows of code_alpaca that ask for given code again and rows that do not, as far as judged by hand; and those
# judged because an earlier lexicon labelled them, which makes them no random sample of the others.
_EARLIER = """
232 306 348 362 461 463 605 608 801 856 859 976 996 1124 1128 1136 1175 1287 1456 1593 1833 1938
"""
_VARIANTS = """
20 24 46 52 62 71 116 201 225 257 275 283 291 298 323 348 355 359 362 367 379 385 386 388 426 431 439 484
509 517 523 562 576 581 593 609 611 623 627 628 678 698 704 741 755 756 758 762 789 793 801 813 848 864 873
908 941 942 945 952 954 957 959 993 995 1014 1025 1181 1248 1258 1267 1277 1279 1281 1282 1302 1309 1358
1370 1373 1395 1400 1402 1419 1423 1441 1468 1494 1519 1520 1523 1532 1600 1621 1625 1702 1756 1772 1779
1782 1797 1800 1801 1861 1872 1876 1910 1947 1984 1998
"""
_NO_VARIANTS = """
3 6 9 10 18 28 39 40 47 48 49 55 69 78 79 84 98 102 106 109 115 120 124 131 137 139 151 152 165 169 178 184
185 190 192 212 220 232 233 234 236 248 255 264 270 272 276 290 295 304 306 307 312 319 320 330 335 345 346
349 350 352 354 372 376 383 392 410 416 417 419 420 421 433 442 443 455 457 460 461 463 504 516 520 521 527
530 540 541 545 553 557 567 582 588 590 596 600 605 608 612 614 617 618 629 635 641 644 650 655 658 666 668
671 674 687 688 706 707 719 732 748 753 754 761 764 769 779 782 787 792 802 807 811 816 823 825 829 830 841
854 856 859 861 862 870 877 880 885 893 902 907 913 924 929 935 939 949 966 976 986 987 990 994 996 998 1003
1010 1011 1028 1029 1036 1045 1050 1067 1071 1073 1085 1089 1094 1099 1104 1109 1117 1119 1124 1128 1132
1136 1144 1146 1152 1161 1162 1163 1166 1172 1175 1179 1184 1221 1223 1224 1233 1250 1254 1257 1262 1269
1271 1278 1285 1287 1289 1290 1293 1307 1308 1314 1320 1321 1322 1331 1333 1337 1353 1356 1360 1361 1382
1387 1390 1393 1396 1397 1399 1416 1424 1429 1435 1442 1443 1450 1454 1456 1462 1467 1477 1481 1483 1485
1489 1506 1512 1521 1524 1538 1547 1552 1559 1561 1576 1579 1583 1585 1593 1597 1606 1610 1612 1630 1633
1634 1636 1647 1649 1653 1654 1655 1665 1675 1676 1679 1683 1691 1694 1698 1703 1704 1711 1718 1730 1740
1742 1744 1758 1781 1786 1788 1789 1790 1792 1795 1796 1805 1824 1826 1828 1833 1837 1841 1845 1847 1848
1851 1853 1855 1862 1864 1868 1882 1883 1889 1891 1898 1899 1901 1902 1905 1909 1912 1915 1916 1923 1927
1938 1939 1949 1956 1961 1971 1976 1980 1987 1989 1996 2001 2002 2003 2004 2005 2010 2011
"""


def read_sources(folder: Path) -> dict[str, list[str]]:
    """Read the collections: name → prompts, of T0 the first of each template."""
    prompts = folder / "prompts"
    sources = {
        "inthewild_jailbreak": _json(prompts / "inthewild_jailbreak_llms.json"),
        "seed_tasks": [
            f"{row['instruction']}\n{row['instances'][0]['input']}"
            for row in _rows(prompts / "seed_tasks.jsonl")
        ],
        "judge_prompts": [
            f"{row['system_prompt']}\n{row['prompt_template']}"
            for row in _rows(prompts / "judge_prompts.jsonl")
        ],
        "alpaca_prompt": [(prompts / "alpaca_prompt.txt").read_text(encoding="utf-8")],
    }
    for name, file in (
        ("code_alpaca", "code_alpaca_2k"),
        ("gpteacher_codegen", "gpteacher_codegen-instruct"),
        ("gpteacher_roleplay", "gpteacher_roleplay-simple-deduped-roleplay-instruct"),
    ):
        sources[name] = [f"{row['instruction']}\n{row['input']}" for row in _json(prompts / f"{file}.json")]
    t0 = pd.read_parquet(folder / "templates" / "t0_prompts.parquet")
    first = t0.groupby("template").head(_PER_T0_TEMPLATE)
    seen = first["dataset"].isin(_SEEN_T0)
    sources["t0_seen"], sources["t0_held_out"] = (
        first[seen]["prompt"].tolist(),
        first[~seen]["prompt"].tolist(),
    )
    sources["t0_held_out_skeletons"] = _skeletons(t0[~t0["dataset"].isin(_SEEN_T0)])
    return sources


def wilson(found: int, of: int) -> str:
    """Return a share with its 95% Wilson interval, or a dash where there is nothing to divide by."""
    if not of:
        return "–"
    z, share = 1.959964, found / of
    middle, width = share + z * z / (2 * of), z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    low, high = (middle - width) / (1 + z * z / of), (middle + width) / (1 + z * z / of)
    return f"{share:.3f} [{max(low, 0):.3f}, {min(high, 1):.3f}]"


def near_duplicates(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return a group number for each text: joined if they share 30% of their word triples (Jaccard)."""
    triples = []
    for text in texts:
        words = text.casefold().split()
        triples.append({hash(t) for t in zip(words, words[1:], words[2:], strict=False)})
    group = np.arange(len(texts))
    for a, mine in enumerate(triples):
        for b in range(a):
            shared = len(mine & triples[b])
            if group[a] != group[b] and shared and shared >= _SAME * len(mine | triples[b]):
                group[group == group[a]] = group[b]
    return group


def train(
    positives: Sequence[str], negatives: Mapping[str, Sequence[str]], label: str, seed: int
) -> linear.LinearModel:
    """Fit the model of a label to its rules and to the concepts that no other label's rules name.

    Weights are kept at 0 or above: what speaks against a label in these collections is what their subjects
    are. For the same reason the threshold is set by the hardest collection, not by all together.
    """
    flat = [text for texts in negatives.values() for text in texts]
    x = np.vstack([_vector(text, label) for text in (*positives, *flat)])
    y = np.r_[np.ones(len(positives)), np.zeros(len(flat))]
    size = len(concepts())
    named = _named(label).difference(*(_named(other) for other in LABELS if other != label))
    used = np.array([n in named or n >= size for n in range(x.shape[1])])
    model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=2000, random_state=seed)
    while True:
        model.fit(x[:, used], y)
        against = model.coef_[0] < 0
        if not against.any():
            break
        used[np.flatnonzero(used)[against]] = False
    weights = np.zeros(x.shape[1])
    weights[used] = model.coef_[0]
    logit = x[len(positives) :] @ weights
    ends = np.cumsum([len(texts) for texts in negatives.values()])[:-1]
    limit = max(float(np.quantile(part, 1 - _FALSE_RATE)) for part in np.split(logit, ends))
    return linear.LinearModel(-limit - 1e-6, tuple(weights.tolist()))


def _named(label: str) -> set[int]:
    """Return the concepts that a label's rules name."""
    return {c for rule in lexicon.rules()[label] for group in (rule.anchor, *rule.others) for c in group}


def held_out_jailbreaks(sources: dict[str, list[str]], seed: int) -> list[str]:
    """Return the table of the label that a model was trained for."""
    negatives = {n: texts for n, texts in sources.items() if n != "inthewild_jailbreak" and "skel" not in n}
    positives = sources["inthewild_jailbreak"]
    rules = _labelled(positives, _by_rules)
    lines = [
        "| held-out source | prompts | rules alone | linear model alone | both |",
        "|---|---|---|---|---|",
    ]
    group = near_duplicates(positives)
    fold = _folds(group, seed)
    linear_found = np.zeros(len(positives), bool)
    for number in range(_FOLDS):
        out = np.flatnonzero(fold == number)
        model = train([positives[i] for i in np.flatnonzero(fold != number)], negatives, _TAUGHT, seed)
        linear_found[out] = _labelled([positives[i] for i in out], _by_model(model))
    both = rules | linear_found
    groups = len(set(group.tolist()))
    lines.append(
        f"| inthewild_jailbreak, recall (rules: held out; model: {groups} groups of near-duplicates are) "
        f"| {len(positives)} | {_share(rules)} | {_share(linear_found)} | {_share(both)} |"
    )
    wrong, wrong_rules, size = 0, 0, 0
    for name, texts in negatives.items():
        kin = name.split("_")[0]
        others = {n: ts for n, ts in negatives.items() if n.split("_")[0] != kin}
        model = train(positives, others, _TAUGHT, seed)
        by_rules, by_model = _labelled(texts, _by_rules), _labelled(texts, _by_model(model))
        lines.append(
            f"| {name}{' (seen by rules)' if _seen(name) else ''}, false alarms | {len(texts)} "
            f"| {_share(by_rules)} | {_share(by_model)} | {_share(by_rules | by_model)} |"
        )
        if not _seen(name):
            wrong, wrong_rules = wrong + int((by_rules | by_model).sum()), wrong_rules + int(by_rules.sum())
            size += len(texts)
    right, right_rules = int(both.sum()), int(rules.sum())
    lines.append(
        f"| precision over the jailbreaks and the {size} other prompts not seen | {len(positives) + size} "
        f"| {wilson(right_rules, right_rules + wrong_rules)} | | {wilson(right, right + wrong)} |"
    )
    return lines


def alarms(sources: dict[str, list[str]]) -> list[str]:
    """Return how many prompts of each collection get each label, as shipped."""
    lines = ["| collection | prompts | " + " | ".join(LABELS) + " |", "|---|---|" + "---|" * len(LABELS)]
    for name, texts in sources.items():
        count = Counter(label for text in texts for label in tactics(text))
        cells = " | ".join(str(count[label]) for label in LABELS)
        lines.append(f"| {name}{' (seen)' if _seen(name) else ''} | {len(texts)} | {cells} |")
    return lines


def code_variants(texts: Sequence[str]) -> list[str]:
    """Return precision and estimated recall of ``code_variants`` in ``code_alpaca``, judged by hand."""
    right, wrong, earlier = (
        {int(number) for number in numbers.split()} for numbers in (_VARIANTS, _NO_VARIANTS, _EARLIER)
    )
    labelled = {n for n, text in enumerate(texts) if "code_variants" in tactics(text)}
    found, false = len(labelled & right), len(labelled & wrong)
    sample = (right | wrong) - labelled - earlier
    missed_in_sample = len(sample & right)
    missed = missed_in_sample / len(sample) * (len(texts) - len(labelled | earlier))
    missed += len((earlier - labelled) & right)
    return [
        f"{len(labelled)} of {len(texts)} labelled, {len(labelled - right - wrong)} of them not judged: "
        f"precision {wilson(found, found + false)}. Of {len(sample)} others drawn at random "
        f"{wilson(missed_in_sample, len(sample))} should have been: recall is about "
        f"{found / (found + missed):.2f}."
    ]


def languages() -> list[str]:
    """Return how the simulated worlds' sentences are labelled in each language."""
    lines = ["| language | " + " | ".join(LABELS) + " | none wanted, one given | labels as in English |"]
    lines.append("|---|" + "---|" * (len(LABELS) + 2))
    english = [set(tactics(s)) for name in TACTICS for s in PHRASEBOOKS["en"].tactics[name]]
    for language, book in PHRASEBOOKS.items():
        found: dict[str, list[bool]] = defaultdict(list)
        given = [set(tactics(s)) for name in TACTICS for s in book.tactics[name]]
        wanted = [_OF_WORLDS.get(name) for name in TACTICS for _ in book.tactics[name]]
        for label, labels in zip(wanted, given, strict=True):
            found[label or ""].append(label in labels if label else bool(labels))
        same = sum(a == b for a, b in zip(given, english, strict=True))
        cells = [f"{sum(found[label])}/{len(found[label])}" for label in (*LABELS, "")]
        lines.append(f"| {language} | {' | '.join(cells)} | {same}/{len(given)} |")
    return lines


def speed(texts: Sequence[str]) -> str:
    """Return the time a call takes on prompts of 400 words, the limit of a skeleton."""
    words = " ".join(texts).split()
    long = [" ".join(words[n : n + 400]) for n in range(0, len(words) - 400, 400)]
    times = []
    for text in long[:2000]:
        start = time.perf_counter()
        tactics(text)
        times.append(time.perf_counter() - start)
    return f"{np.median(times[100:]) * 1e3:.3f} ms a text of 400 words (median of {len(times) - 100})"


def write_weights(sources: dict[str, list[str]], seed: int) -> None:
    """Train on everything and write the weights beside the code."""
    positives = sources["inthewild_jailbreak"]
    negatives = {n: ts for n, ts in sources.items() if n != "inthewild_jailbreak" and "skel" not in n}
    model = train(positives, negatives, _TAUGHT, seed)
    names = concepts()
    by_concept = dict(zip(names, (round(w, 4) for w in model.weights), strict=False))
    by_rule = [round(w, 4) for w in model.weights[len(names) :]]
    models = {_TAUGHT: {"intercept": round(model.intercept, 4), "concepts": by_concept, "rules": by_rule}}
    written = json.dumps({"seed": seed, "models": models}, indent=1) + "\n"
    (Path(linear.__file__).parent / linear.WEIGHTS).write_text(written, encoding="utf-8")
    linear.models.cache_clear()


def _seen(name: str) -> bool:
    return name in ("seed_tasks", "t0_seen") or name.startswith("gpteacher")


def _by_rules(text: str) -> float:
    return lexicon.lexicon_scores(read(text))[_TAUGHT]


def _by_model(model: linear.LinearModel) -> Callable[[str], float]:
    return lambda text: model.score(linear.features(read(text), _TAUGHT))


def _labelled(texts: Iterable[str], score: Callable[[str], float]) -> npt.NDArray[np.bool_]:
    return np.array([score(text) >= THRESHOLD for text in texts], bool)


def _share(found: npt.NDArray[np.bool_]) -> str:
    return wilson(int(found.sum()), len(found))


def _vector(text: str, label: str) -> Reals:
    vector = np.zeros(len(concepts()) + len(lexicon.rules()[label]))
    for place, value in linear.features(read(text), label).items():
        vector[place] = value
    return vector


def _folds(group: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    """Return a fold for each text; a group is in one fold, large groups are placed first."""
    sizes = Counter(group.tolist())
    order = sorted(sizes, key=lambda g: (-sizes[g], random.Random(seed * 100_003 + g).random()))
    filled, fold_of = [0] * _FOLDS, {}
    for g in order:
        fold_of[g] = filled.index(min(filled))
        filled[fold_of[g]] += sizes[g]
    return np.array([fold_of[g] for g in group.tolist()])


def _skeletons(t0: pd.DataFrame) -> list[str]:
    """Return each template's words that stand in 95% of its prompts, in the order of its first prompt."""
    made = []
    for _, prompts in t0.groupby("template")["prompt"]:
        common = Counter(word for prompt in prompts for word in set(prompt.split()))
        kept = {word for word, count in common.items() if count >= _COMMON * len(prompts)}
        words = [word if word in kept else "▢" for word in prompts.iloc[0].split()]
        made.append(
            " ".join(w for n, w in enumerate(words) if w != "▢" or not n or words[n - 1] != "▢").casefold()
        )
    return made


def _json(file: Path) -> list[Any]:
    loaded: list[Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def _rows(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def main() -> None:
    """Print the tables."""
    shared = Path(os.environ.get("RINGFENCE_SHARED_DATA", "../shared/data"))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=shared, help="folder of the public data")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="train on everything and write the weights")
    given = parser.parse_args()
    sources = read_sources(given.data)
    if given.write:
        write_weights(sources, given.seed)
    print("\n".join(["## jailbreak", "", *held_out_jailbreaks(sources, given.seed), ""]))
    print("\n".join(["## code_variants in code_alpaca", "", *code_variants(sources["code_alpaca"]), ""]))
    print("\n".join(["## labels given, as shipped (trained on these collections)", "", *alarms(sources), ""]))
    print(
        "\n".join(["## simulated prompts, as shipped", "", *languages(), "", speed(sources["t0_held_out"])])
    )


if __name__ == "__main__":
    main()
