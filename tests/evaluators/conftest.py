import pytest
import torch


@pytest.fixture
def threads():
    """Sets how many threads PyTorch takes; they are put back as they were."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)
