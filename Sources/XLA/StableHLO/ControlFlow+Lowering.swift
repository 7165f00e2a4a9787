import Tensor

extension While: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let captured = Array(site.operands.dropFirst(stateCount))
        return loop(
            Array(site.operands.prefix(stateCount)), Array(site.operandTypes.prefix(stateCount)), into: &emitter,
            condition: { state, emitter in emitter.inline(condition, state + captured)[0] },
            body: { state, emitter in emitter.inline(body, state + captured) })
    }
}

extension Conditional: StableHLOPrimitive {
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        let arguments = Array(site.operands.dropFirst())
        let name = emitter.fresh()
        let types = site.types.map(mlir).joined(separator: ", ")
        let count = site.types.count
        func branch(_ graph: Graph, _ emitter: inout Emitter) {
            emitter.indented { emitter in
                let results = emitter.inline(graph, arguments).joined(separator: ", ")
                emitter.line("stablehlo.return \(results) : \(types)")
            }
        }
        emitter.line("\(name)\(count > 1 ? ":\(count)" : "") = \"stablehlo.if\"(\(site.operands[0])) ({")
        branch(whenTrue, &emitter)
        emitter.line("}, {")
        branch(whenFalse, &emitter)
        emitter.line("}) : (tensor<i1>) -> \(count == 1 ? types : "(\(types))")")
        return count > 1 ? (0..<count).map { "\(name)#\($0)" } : [name]
    }
}

extension Scan: StableHLOPrimitive {
    // A while loop over a counter, the carry and one buffer for each stacked output that something reads.
    func lower(_ site: LoweringSite, into emitter: inout Emitter) -> [Emitter.Name] {
        if length == 0 {
            // A body that never runs is checked all the same, and takes a slice of what has none.
            return site.types.indices.map { $0 < carryCount ? site.operands[$0] : emitter.full(0, site.types[$0]) }
        }
        let counter = TensorType(.i32, [])
        let sliced = Array(site.operands.dropFirst(carryCount).prefix(slicedCount))
        let slicedTypes = Array(site.operandTypes.dropFirst(carryCount).prefix(slicedCount))
        let captured = Array(site.operands.dropFirst(carryCount + slicedCount))
        let stacked = (carryCount..<site.types.count).filter { site.isRead[$0] }

        let zero = emitter.full(0, counter)
        let buffers = stacked.map { emitter.full(0, site.types[$0]) }
        let state = [zero] + site.operands.prefix(carryCount) + buffers
        let types = [counter] + site.operandTypes.prefix(carryCount) + stacked.map { site.types[$0] }
        let results = loop(
            state, types, into: &emitter,
            condition: { state, emitter in
                let limit = emitter.full(Double(length), counter)
                return emitter.assign(
                    "stablehlo.compare LT, \(state[0]), \(limit), SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>")
            },
            body: { state, emitter in
                var place = state[0]
                if reversed {
                    let last = emitter.full(Double(length - 1), counter)
                    place = emitter.assign("stablehlo.subtract \(last), \(place) : tensor<i32>")
                }
                let zero = emitter.full(0, counter)
                let carry = Array(state[1...].prefix(carryCount))
                let slices = zip(sliced, slicedTypes).map { operand, type in
                    slice(operand, type, at: place, zero, into: &emitter)
                }
                let outputs = emitter.inline(body, carry + slices + captured)
                let one = emitter.full(1, counter)
                let next = emitter.assign("stablehlo.add \(state[0]), \(one) : tensor<i32>")
                let written = stacked.enumerated().map { position, output in
                    let value =
                        output < carryCount + resultCount ? outputs[output] : carry[output - carryCount - resultCount]
                    let buffer = state[1 + carryCount + position]
                    return update(buffer, site.types[output], with: value, at: place, zero, into: &emitter)
                }
                return [next] + outputs.prefix(carryCount) + written
            })
        var names = Array(results[1...].prefix(carryCount))
        for output in carryCount..<site.types.count {
            // Nothing reads an output that was left out, so its name does not matter.
            names.append(stacked.firstIndex(of: output).map { results[1 + carryCount + $0] } ?? "%unread")
        }
        return names
    }

    private func slice(
        _ operand: Emitter.Name, _ type: TensorType, at place: Emitter.Name, _ zero: Emitter.Name,
        into emitter: inout Emitter
    ) -> Emitter.Name {
        let element = type.shape.removing([0])
        let row = TensorType(type.dtype, Shape([1] + element.dimensions))
        let starts = ([place] + element.map { _ in zero }).joined(separator: ", ")
        let indices = type.shape.map { _ in "tensor<i32>" }.joined(separator: ", ")
        let name = emitter.assign(
            "stablehlo.dynamic_slice \(operand), \(starts), sizes = \(list(row.shape)) "
                + ": (\(mlir(type)), \(indices)) -> \(mlir(row))")
        return emitter.reshape(name, row, to: TensorType(type.dtype, element))
    }

    private func update(
        _ buffer: Emitter.Name, _ type: TensorType, with value: Emitter.Name, at place: Emitter.Name,
        _ zero: Emitter.Name, into emitter: inout Emitter
    ) -> Emitter.Name {
        let element = type.shape.removing([0])
        let row = TensorType(type.dtype, Shape([1] + element.dimensions))
        let shaped = emitter.reshape(value, TensorType(type.dtype, element), to: row)
        let starts = ([place] + element.map { _ in zero }).joined(separator: ", ")
        let indices = type.shape.map { _ in "tensor<i32>" }.joined(separator: ", ")
        return emitter.assign(
            "stablehlo.dynamic_update_slice \(buffer), \(shaped), \(starts) "
                + ": (\(mlir(type)), \(mlir(row)), \(indices)) -> \(mlir(type))")
    }
}

/// Writes a while loop; its regions read outer values by name, as MLIR allows.
private func loop(
    _ state: [Emitter.Name], _ types: [TensorType], into emitter: inout Emitter,
    condition: ([Emitter.Name], inout Emitter) -> Emitter.Name,
    body: ([Emitter.Name], inout Emitter) -> [Emitter.Name]
) -> [Emitter.Name] {
    let name = emitter.fresh()
    let inside = state.map { _ in emitter.fresh() }
    let bindings = zip(inside, state).map { "\($0) = \($1)" }.joined(separator: ", ")
    let typeList = types.map(mlir).joined(separator: ", ")
    emitter.line(
        "\(name)\(state.count > 1 ? ":\(state.count)" : "") = stablehlo.while(\(bindings)) : \(typeList)")
    emitter.line("cond {")
    emitter.indented { emitter in
        let goOn = condition(inside, &emitter)
        emitter.line("stablehlo.return \(goOn) : tensor<i1>")
    }
    emitter.line("} do {")
    emitter.indented { emitter in
        let next = body(inside, &emitter)
        emitter.line("stablehlo.return \(next.joined(separator: ", ")) : \(typeList)")
    }
    emitter.line("}")
    return state.count > 1 ? state.indices.map { "\(name)#\($0)" } : [name]
}
