"""Everything that is registered conforms: a test for each check, so that `--fast` takes one case of each."""

import pytest

from hornbook.testing import CHECKS, FAMILY_CHECKS, conformance
from hornbook.testing.processes import two_processes

for check in (*CHECKS, *FAMILY_CHECKS):
    globals()[f"test_{check.__name__}"] = conformance(checks=[check], marks={two_processes: pytest.mark.slow})
