"""Everything that is registered conforms."""

import pytest

from hornbook.testing import conformance
from hornbook.testing.processes import two_processes

test_everything_registered = conformance(marks={two_processes: pytest.mark.slow})
