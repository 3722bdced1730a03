"""Files that other programs load: an ONNX graph, a PyTorch program, packed weights; each is measured again."""
