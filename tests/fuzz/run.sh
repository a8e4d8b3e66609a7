#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# run.sh HARNESS ARGUMENT... [SEEDS...]: what libFuzzer finds interesting goes into the first folder that it is given, so
# that one is thrown away; an input that fails stays in the current folder. The seed is fixed: a test must not fail by
# chance. 77, which libFuzzer exits with, would count as skipped.
set -eu
harness=$1
shift
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
"$harness" -seed=1 -error_exitcode=1 -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 "$corpus" "$@"
