import Tensor

extension Reshape: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        [emitter.reshape(site.operands[0], site.operandTypes[0], to: site.type)]
    }
}

extension Transpose: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        [emitter.assign("stablehlo.transpose \(site.operands[0]), dims = \(list(permutation)) : \(site.signature)")]
    }
}

extension Broadcast: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        [emitter.broadcast(site.operands[0], site.operandTypes[0], to: site.type, axes: axes)]
    }
}

extension Slice: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let bounds = starts.indices.map { axis in
            "\(starts[axis]):\(limits[axis])" + (strides[axis] == 1 ? "" : ":\(strides[axis])")
        }
        return [
            emitter.assign(
                "stablehlo.slice \(site.operands[0]) [\(bounds.joined(separator: ", "))] : \(site.signature)")
        ]
    }
}

extension Pad: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let edges = "low = \(list(low)), high = \(list(high)), interior = \(list(interior))"
        return [emitter.assign("stablehlo.pad \(site.operands.joined(separator: ", ")), \(edges) : \(site.signature)")]
    }
}

extension Concatenate: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let operands = site.operands.joined(separator: ", ")
        return [emitter.assign("stablehlo.concatenate \(operands), dim = \(axis) : \(site.signature)")]
    }
}

extension Reverse: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        [emitter.assign("stablehlo.reverse \(site.operands[0]), dims = \(list(axes)) : \(mlir(site.type))")]
    }
}

extension DynamicSlice: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let operands = site.operands.joined(separator: ", ")
        return [emitter.assign("stablehlo.dynamic_slice \(operands), sizes = \(list(sizes)) : \(site.signature)")]
    }
}

extension DynamicUpdateSlice: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        [emitter.assign("stablehlo.dynamic_update_slice \(site.operands.joined(separator: ", ")) : \(site.signature)")]
    }
}

extension Gather: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let operand = site.operandTypes[0].shape
        let indexRank = site.operandTypes[1].shape.rank
        let kept = Array(0..<axis) + Array((axis + indexRank)..<site.type.shape.rank)
        var sizes = operand.dimensions
        sizes[axis] = 1
        return [
            emitter.assign(
                "\"stablehlo.gather\"(\(site.operands.joined(separator: ", "))) <{dimension_numbers = "
                    + "#stablehlo.gather<offset_dims = \(list(kept)), collapsed_slice_dims = [\(axis)], "
                    + "start_index_map = [\(axis)], index_vector_dim = \(indexRank)>, indices_are_sorted = false, "
                    + "slice_sizes = array<i64: \(sizes.map(String.init).joined(separator: ", "))>}> "
                    + ": \(site.signature)")
        ]
    }
}

extension Scatter: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let indexRank = site.operandTypes[1].shape.rank
        let kept = Array(0..<axis) + Array((axis + indexRank)..<site.operandTypes[2].shape.rank)
        let scalar = mlir(TensorType(site.type.dtype, []))
        let name = emitter.fresh()
        let (old, new) = (emitter.fresh(), emitter.fresh())
        emitter.line(
            "\(name) = \"stablehlo.scatter\"(\(site.operands.joined(separator: ", "))) <{indices_are_sorted = false, "
                + "scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = \(list(kept)), "
                + "inserted_window_dims = [\(axis)], scatter_dims_to_operand_dims = [\(axis)], "
                + "index_vector_dim = \(indexRank)>, unique_indices = false}> ({")
        emitter.line("^bb0(\(old): \(scalar), \(new): \(scalar)):")
        emitter.indented { emitter in
            let combined =
                combination == .replace
                ? new : emitter.assign("stablehlo.\(combination.rawValue) \(old), \(new) : \(scalar)")
            emitter.line("stablehlo.return \(combined) : \(scalar)")
        }
        emitter.line("}) : \(site.signature)")
        return [name]
    }
}
