"""The pack as the engine starts it; this call blocks, so rules live in modules of their own."""

import sys
from pathlib import Path

from pulumi_policy import PolicyPack

# The engine starts a pack by its folder; the project's packages stand two folders above.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from policies.aws.rules import RULES

PolicyPack("day2-aws", policies=list(RULES))
