#!/usr/bin/env python3
"""Turns meson's test log into one PASS, FAIL or SKIP line for each case.

usage: tally.py TESTLOG.json OUTPUT

Check closes a program with "NN%: Checks: N, Failures: N, Errors: N"; a case that could not be tried
prints "SKIP name: reason". Programs without Check count as one case.
"""
import json
import re
import sys

CLOSING = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", re.M)
SKIPPED = re.compile(r"^SKIP (.*)", re.M)
FAILURE = re.compile(r"^(.*:\d+:[FE]:.*)", re.M)

lines = []
for entry in (json.loads(line) for line in open(sys.argv[1], encoding="utf-8") if line.strip()):
    name, result = entry["name"].split(" / ")[-1].split(":")[-1].strip(), entry["result"]
    output = entry.get("stdout") or ""
    skips = SKIPPED.findall(output)
    closings = CLOSING.findall(output)
    checks = sum(int(c[0]) for c in closings)
    failures = sum(int(c[1]) + int(c[2]) for c in closings)
    if result == "SKIP" and not skips:
        skips = [f"{name}: no reason given"]
    lines += [f"SKIP {name}: {text}" for text in skips]
    passed = (checks - failures if closings else int(result == "OK")) - len(skips)
    lines += [f"PASS {name} {i + 1}" for i in range(max(passed, 0))]
    if result not in ("OK", "SKIP"):
        found = FAILURE.findall(output) or [f"{result.lower()}, see the log"]
        lines += [f"FAIL {name}: {text}" for text in found[: max(failures, 1)]]
        for text in (output, entry.get("stderr") or ""):
            sys.stderr.write(text[-4000:])

with open(sys.argv[2], "w", encoding="utf-8") as out:
    out.writelines(line + "\n" for line in lines)
