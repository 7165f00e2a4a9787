import Tensor

extension Constant: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        [emitter.assign("stablehlo.constant dense<\(literal(value))> : \(mlir(site.type))")]
    }
}

extension Full: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] { [emitter.full(value, type)] }
}

extension Iota: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        [emitter.assign("stablehlo.iota dim = \(axis) : \(mlir(type))")]
    }
}

extension Unary: StableHLOPrimitive {
    private var operation: String {
        switch kind {
        case .negate: "negate"
        case .exponential: "exponential"
        case .exponentialMinusOne: "exponential_minus_one"
        case .log: "log"
        case .logOnePlus: "log_plus_one"
        case .squareRoot: "sqrt"
        case .reciprocalSquareRoot: "rsqrt"
        case .sine: "sine"
        case .cosine: "cosine"
        case .tanh: "tanh"
        case .logistic: "logistic"
        case .absolute: "abs"
        case .sign: "sign"
        case .floor: "floor"
        case .ceil: "ceil"
        case .roundToEven: "round_nearest_even"
        case .not: "not"
        case .isFinite: "is_finite"
        }
    }

    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let signature = kind == .isFinite ? site.signature : mlir(site.type)
        return [emitter.assign("stablehlo.\(operation) \(site.operands[0]) : \(signature)")]
    }
}

extension Binary: StableHLOPrimitive {
    private var operation: String {
        switch kind {
        case .add, .subtract, .multiply, .divide, .remainder, .maximum, .minimum, .power, .atan2, .and, .or, .xor:
            kind.rawValue
        case .shiftLeft: "shift_left"
        case .shiftRightLogical: "shift_right_logical"
        }
    }

    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        [emitter.assign("stablehlo.\(operation) \(site.operands[0]), \(site.operands[1]) : \(mlir(site.type))")]
    }
}

extension Compare: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let kind = comparison(site.operandTypes[0].dtype)
        let operands = site.operands.joined(separator: ", ")
        return [emitter.assign("stablehlo.compare \(direction.rawValue), \(operands), \(kind) : \(site.signature)")]
    }
}

/// The kind of comparison StableHLO wants named for a type.
func comparison(_ dtype: DType) -> String {
    dtype.isFloating ? "FLOAT" : dtype.isSigned ? "SIGNED" : "UNSIGNED"
}

extension Select: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let types = "\(mlir(site.operandTypes[0])), \(mlir(site.type))"
        return [emitter.assign("stablehlo.select \(site.operands.joined(separator: ", ")) : \(types)")]
    }
}

extension Convert: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        [emitter.assign("stablehlo.convert \(site.operands[0]) : \(site.signature)")]
    }
}

extension Bitcast: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        [emitter.assign("stablehlo.bitcast_convert \(site.operands[0]) : \(site.signature)")]
    }
}

extension StopGradient: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] { site.operands }
}

extension Barrier: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let name = emitter.fresh()
        let many = site.types.count > 1
        let types = site.types.map(mlir).joined(separator: ", ")
        emitter.line(
            "\(name)\(many ? ":\(site.types.count)" : "") = stablehlo.optimization_barrier "
                + "\(site.operands.joined(separator: ", ")) : \(types)")
        return many ? site.types.indices.map { "\(name)#\($0)" } : [name]
    }
}

extension Call: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        emitter.inline(graph, site.operands)
    }
}
