"""The check of the GPU path, `python -m benchmarks.gpu --out FOLDER`; docs/gpu.md describes it."""
