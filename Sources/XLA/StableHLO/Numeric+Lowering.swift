import Tensor

extension Reduce: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let dtype = site.type.dtype
        let (operation, identity): (String, Double) =
            switch kind {
            case .sum: ("add", 0)
            case .product: ("multiply", 1)
            case .maximum: ("maximum", lowest(dtype))
            case .minimum: ("minimum", highest(dtype))
            case .all: ("and", 1)
            case .any: ("or", 0)
            }
        let type = site.operandTypes[0]
        if emitter.usesKernels, let sum = Kernels.Sum(self, of: type) {
            return [lower(sum, site, into: &emitter)]
        }
        guard kind == .sum || kind == .product, dtype == .bf16 || dtype == .f16 else {
            return [reduce(site.operands[0], type, operation, identity, axes, into: &emitter)]
        }
        // As in JAX: added up in bf16 itself, a few hundred terms leave no correct digit.
        let (wide, wideResult) = (TensorType(.f32, type.shape), TensorType(.f32, site.type.shape))
        let operand = emitter.assign("stablehlo.convert \(site.operands[0]) : (\(mlir(type))) -> \(mlir(wide))")
        let result = reduce(operand, wide, operation, identity, axes, into: &emitter)
        return [emitter.assign("stablehlo.convert \(result) : (\(mlir(wideResult))) -> \(mlir(site.type))")]
    }
}

extension Reduce {
    private func lower(_ sum: Kernels.Sum, _ site: LoweringSite, into emitter: inout Emitter) -> Emitter.Name {
        let rows = TensorType(.f32, [sum.rows, sum.channels])
        let total = TensorType(.f32, [sum.channels])
        let operands = (site.factors ?? site.operands).map {
            emitter.reshape($0, site.operandTypes[0], to: rows)
        }
        let name = emitter.fresh()
        let (matrix, vector) = ("dense<[1, 0]> : tensor<2xindex>", "dense<0> : tensor<1xindex>")
        emitter.line(
            "\(name):2 = stablehlo.custom_call @\(Kernels.sum)(\(operands.joined(separator: ", "))) "
                + "{api_version = 4 : i32, operand_layouts = [\(operands.map { _ in matrix }.joined(separator: ", "))], "
                + "result_layouts = [\(vector), \(matrix)]} : "
                + "(\(operands.map { _ in mlir(rows) }.joined(separator: ", "))) -> "
                + "(\(mlir(total)), \(mlir(TensorType(.f32, [sum.parts, sum.channels]))))")
        let isWhole = axes.count == site.operandTypes[0].shape.rank
        return isWhole
            ? reduce("\(name)#0", total, "add", 0, [0], into: &emitter)
            : emitter.reshape("\(name)#0", total, to: site.type)
    }
}

private func reduce(
    _ operand: Emitter.Name, _ type: TensorType, _ operation: String, _ identity: Double, _ axes: [Int],
    into emitter: inout Emitter
) -> Emitter.Name {
    let scalar = TensorType(type.dtype, [])
    let start = emitter.full(identity, scalar)
    let result = TensorType(type.dtype, type.shape.removing(axes))
    return emitter.assign(
        "stablehlo.reduce(\(operand) init: \(start)) applies stablehlo.\(operation) across dimensions = \(list(axes)) "
            + ": (\(mlir(type)), \(mlir(scalar))) -> \(mlir(result))")
}

private func lowest(_ dtype: DType) -> Double {
    if dtype.isFloating { return -.infinity }
    return dtype.isSigned ? -Double(sign: .plus, exponent: dtype.byteCount * 8 - 1, significand: 1) : 0
}

private func highest(_ dtype: DType) -> Double {
    if dtype.isFloating { return .infinity }
    switch dtype {
    // The extremes of 64-bit types are not Doubles; these are the nearest that are in range.
    case .i64: return 0x1p63.nextDown
    case .u64: return 0x1p64.nextDown
    default: return Double(sign: .plus, exponent: dtype.byteCount * 8 - (dtype.isSigned ? 1 : 0), significand: 1) - 1
    }
}

extension ArgMax: StableHLOPrimitive {
    // Two plain reductions, which vectorise, in place of one over pairs, which does not: the largest value, then the
    // lowest position that holds it.
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let type = site.operandTypes[0]
        let kept = type.shape.indices.filter { $0 != axis }
        let reduced = TensorType(type.dtype, site.type.shape)
        let largest = reduce(
            site.operands[0], type, "maximum", lowest(type.dtype), [axis], into: &emitter)
        let spread = emitter.broadcast(largest, reduced, to: type, axes: kept)
        let mask = TensorType(.bool, type.shape)
        let isLargest = emitter.assign(
            "stablehlo.compare EQ, \(site.operands[0]), \(spread), \(comparison(type.dtype)) "
                + ": (\(mlir(type)), \(mlir(type))) -> \(mlir(mask))")
        let positionType = TensorType(.i32, type.shape)
        let positions = emitter.assign("stablehlo.iota dim = \(axis) : \(mlir(positionType))")
        let last = emitter.full(Double(type.shape[axis] - 1), positionType)
        let candidates = emitter.assign(
            "stablehlo.select \(isLargest), \(positions), \(last) : \(mlir(mask)), \(mlir(positionType))")
        return [
            reduce(candidates, positionType, "minimum", Double(type.shape[axis] - 1), [axis], into: &emitter)
        ]
    }
}

extension Sort: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let name = emitter.fresh()
        let count = site.operands.count
        let names = (0..<2 * count).map { _ in emitter.fresh() }
        let arguments = names.enumerated().map { index, name in
            "\(name): \(mlir(TensorType(site.operandTypes[index / 2].dtype, [])))"
        }
        let key = site.operandTypes[0].dtype
        let scalar = mlir(TensorType(key, []))
        emitter.line(
            "\(name)\(count > 1 ? ":\(count)" : "") = \"stablehlo.sort\"(\(site.operands.joined(separator: ", "))) "
                + "<{dimension = \(axis) : i64, is_stable = true}> ({")
        emitter.line("^bb0(\(arguments.joined(separator: ", "))):")
        emitter.indented { emitter in
            // A total order, so that a NaN cannot make the order inconsistent.
            let kind = key.isFloating ? "TOTALORDER" : comparison(key)
            let before = emitter.assign(
                "stablehlo.compare \(descending ? "GT" : "LT"), \(names[0]), \(names[1]), \(kind) "
                    + ": (\(scalar), \(scalar)) -> tensor<i1>")
            emitter.line("stablehlo.return \(before) : tensor<i1>")
        }
        emitter.line("}) : \(site.signature)")
        return count > 1 ? (0..<count).map { "\(name)#\($0)" } : [name]
    }
}

extension Dot: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let batch =
            batchAxes.left.isEmpty ? "" : "batching_dims = \(list(batchAxes.left)) x \(list(batchAxes.right)), "
        let contracting = "contracting_dims = \(list(contractedAxes.left)) x \(list(contractedAxes.right))"
        return [
            emitter.assign(
                "stablehlo.dot_general \(site.operands[0]), \(site.operands[1]), \(batch)\(contracting), "
                    + "precision = [DEFAULT, DEFAULT] : \(site.signature)")
        ]
    }
}

extension Convolution: StableHLOPrimitive {
    /// A negative padding is written as a slice of the operand: given as it is, XLA's CPU backend computes wrong values at the
    /// other end.
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        guard let axis = padding.indices.first(where: { min(padding[$0].low, padding[$0].high) < 0 }),
            operandDilation[axis] == 1
        else { return lowerPadded(site, into: &emitter) }
        var (inner, type) = (self, site.operandTypes[0])
        let (low, high) = (max(0, -padding[axis].low), max(0, -padding[axis].high))
        let place = layout.operand[axis + 2]
        let operand: Emitter.Name
        if low + high <= type.shape[place] {
            inner.padding[axis] = (max(0, padding[axis].low), max(0, padding[axis].high))
            let ranges = type.shape.enumerated().map { $0 == place ? "\(low):\($1 - high)" : "0:\($1)" }
            type.shape[place] -= low + high
            operand = emitter.assign(
                "stablehlo.slice \(site.operands[0]) [\(ranges.joined(separator: ", "))] : "
                    + "(\(mlir(site.operandTypes[0]))) -> \(mlir(type))")
        } else {
            // More than there is: what is left is of the other side's padding.
            type.shape[place] += padding[axis].low + padding[axis].high
            inner.padding[axis] = (0, 0)
            operand = emitter.full(0, type)
        }
        return inner.lower(
            LoweringSite(
                operands: [operand, site.operands[1]], operandTypes: [type, site.operandTypes[1]], types: site.types,
                isRead: site.isRead), into: &emitter)
    }

    private func lowerPadded(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        if emitter.usesKernels, let call = Kernels.Call(self, site) {
            return [lower(call, site, into: &emitter)]
        }
        let pads = padding.map { "[\($0.low), \($0.high)]" }.joined(separator: ", ")
        let forward = strides.map { _ in "false" }.joined(separator: ", ")
        let numbers =
            "\(labels(layout.operand, "b", "f"))x\(labels(layout.kernel, "o", "i"))->\(labels(layout.result, "b", "f"))"
        return [
            emitter.assign(
                "stablehlo.convolution(\(site.operands.joined(separator: ", "))) dim_numbers = \(numbers), "
                    + "window = {stride = \(list(strides)), pad = [\(pads)], lhs_dilate = \(list(operandDilation)), "
                    + "rhs_dilate = \(list(kernelDilation)), reverse = [\(forward)]} "
                    + "{batch_group_count = \(batchGroups) : i64, feature_group_count = \(featureGroups) : i64} "
                    + ": \(site.signature)")
        ]
    }

    private func lower(_ kernel: Kernels.Call, _ site: LoweringSite, into emitter: inout Emitter) -> Emitter.Name {
        let (x, type) = padded(site, into: &emitter)
        func call(
            _ kernel: String, _ right: Emitter.Name, _ rightType: TensorType, _ attributes: [(name: String, value: Int)]
        ) -> Emitter.Name {
            let settings = attributes.map { "\($0.name) = \($0.value) : i64" }.joined(separator: ", ")
            return emitter.assign(
                "stablehlo.custom_call @\(kernel)(\(x), \(right)) {api_version = 4 : i32, "
                    + "backend_config = {\(settings)}, operand_layouts = [\(layout(type)), \(layout(rightType))], "
                    + "result_layouts = [\(layout(site.type))]} : "
                    + "(\(mlir(type)), \(mlir(rightType))) -> \(mlir(site.type))")
        }
        switch kernel {
        case .convolution(let isTransposed, let weightType, let packed):
            let packedType = TensorType(.u8, [packed])
            var weight = site.operands[1]
            if isTransposed {
                weight = emitter.assign(
                    "stablehlo.transpose \(weight), dims = [0, 2, 1] : "
                        + "(\(mlir(site.operandTypes[1]))) -> \(mlir(weightType))")
            }
            let weights = emitter.assign(
                "stablehlo.custom_call @\(Kernels.pack)(\(weight)) {api_version = 4 : i32, "
                    + "operand_layouts = [\(layout(weightType))], result_layouts = [\(layout(packedType))]} : "
                    + "(\(mlir(weightType))) -> \(mlir(packedType))")
            return call(
                Kernels.convolution, weights, packedType,
                [("dilation", kernelDilation[0]), ("taps", weightType.shape[0])])
        case .gradient(let dilation):
            return call(Kernels.gradient, site.operands[1], site.operandTypes[1], [("dilation", dilation)])
        }
    }

    /// Rows one after the other, as kernels expect them.
    private func layout(_ type: TensorType) -> String {
        "dense<\(list(type.shape.indices.reversed()))> : tensor<\(type.shape.rank)xindex>"
    }

    /// The operand with its rows of zeros, if it has any.
    private func padded(_ site: LoweringSite, into emitter: inout Emitter) -> (Emitter.Name, TensorType) {
        let (low, high) = padding[0]
        var type = site.operandTypes[0]
        guard low + high > 0 else { return (site.operands[0], type) }
        let zero = emitter.full(0, TensorType(.f32, []))
        let operands = "(\(mlir(type)), tensor<f32>)"
        type.shape[1] += low + high
        let x = emitter.assign(
            "stablehlo.pad \(site.operands[0]), \(zero), low = [0, \(low), 0], high = [0, \(high), 0], "
                + "interior = [0, 0, 0] : \(operands) -> \(mlir(type))")
        return (x, type)
    }

    /// Axis roles in axis order, such as `[b, 0, f]`.
    private func labels(_ axes: [Int], _ first: String, _ second: String) -> String {
        var labels = [String](repeating: "", count: axes.count)
        labels[axes[0]] = first
        labels[axes[1]] = second
        for (spatial, axis) in axes.dropFirst(2).enumerated() { labels[axis] = String(spatial) }
        return "[" + labels.joined(separator: ", ") + "]"
    }
}

extension Fourier: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        func complex(_ type: TensorType) -> String {
            "tensor<" + type.shape.map { "\($0)x" }.joined() + "complex<\(mlir(type.dtype))>>"
        }
        let operation =
            switch kind {
            case .realForward: "RFFT"
            case .realInverse: "IRFFT"
            case .forward: "FFT"
            case .inverse: "IFFT"
            }
        let operandType = site.operandTypes[0]
        var operand = site.operands[0]
        var operandText = mlir(operandType)
        if kind != .realForward {
            operandText = complex(operandType)
            operand = emitter.assign(
                "stablehlo.complex \(site.operands[0]), \(site.operands[1]) : \(operandText)")
        }
        let resultText = kind == .realInverse ? mlir(site.type) : complex(site.type)
        let result = emitter.assign(
            "stablehlo.fft \(operand), type = \(operation), length = [\(length)] : (\(operandText)) -> \(resultText)")
        if kind == .realInverse { return [result] }
        return ["real", "imag"].map { part in
            emitter.assign("stablehlo.\(part) \(result) : (\(resultText)) -> \(mlir(site.type))")
        }
    }
}
