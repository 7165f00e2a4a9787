"""Writes every tensor fixture: `python Tests/Oracles/tensor_primitives.py` (JAX 0.10, CPU)."""

import tensor_control
import tensor_elementwise
import tensor_indexing
import tensor_products
import tensor_reductions
import tensor_structure

tensor_elementwise.cases()
tensor_structure.cases()
tensor_reductions.cases()
tensor_products.cases()
tensor_indexing.cases()
tensor_control.control()
tensor_control.random()
