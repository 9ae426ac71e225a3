# shellcheck shell=sh disable=SC2046 # a list
# Variants of agentd whose missing layer only a machine with all controllers shows, see tests/variants.
AGENTD=/bin/agentd VARIANTS=/bin ./run $(sed -nE 's/ (limits|cpu):.*//p' expected)
