# Variants of agentd whose missing layer only a machine with all controllers shows, see tests/variants.
# shellcheck disable=SC2046 # a list
AGENTD=/bin/agentd VARIANTS=/bin ./run $(sed -n 's/ limits:.*//p' expected)
