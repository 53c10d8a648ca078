"""The language model, its forward and backward pass on packed rows, and its files.

`llama` chooses between three ways to compute the decoder layers; all give the gradients of transformers' layers:

| what computes | layers | attention within each sequence |
|---|---|---|
| a GPU, in bf16 | `gpu_layers`, compiled | `attention.flash_attention`: one FlashAttention kernel for a row |
| a CPU, in bf16 | `cpu_layers`, with backward passes written out | `cpu_attention`: blocks of similar sequences |
| either, in fp32 | transformers' | `attention.packed_attention`: PyTorch's attention, sequence by sequence |

There are three because each device and type has another fastest attention: FlashAttention computes in 16 bits and on
GPUs only; PyTorch's CPU attention takes twice the time of the matrix products that it consists of; and float32, the
reference, has to run everywhere. Scoring (`scripts.evaluation`) uses the third in every precision, since its sequences
share beginnings, which the other two cannot express. `attention` describes rows and registers the third with
transformers.
"""
