/// Repeats `body` while `condition` holds. Inputs: the state, then values both graphs read. Not differentiable in
/// reverse: its length is unknown, so what it passed through cannot be kept. Use `scan` for that.
public struct While: Primitive {
    /// State and captured values → a bool scalar.
    public let condition: Graph
    /// State and captured values → the next state.
    public let body: Graph
    public let stateCount: Int
    public var name: String { "while" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        let state = Array(inputs.prefix(stateCount))
        try require(condition.outputs.map(\.type) == [TensorType(.bool, [])], "the condition is not a bool scalar")
        try require(
            body.outputs.map(\.type) == state, "the body turns \(state) into \(body.outputs.map(\.type))")
        return state
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        preconditionFailure("a while loop has no reverse-mode gradient; use scan, whose length is known")
    }
}

/// Runs one of two graphs. Inputs: a bool scalar, then values both graphs read.
public struct Conditional: Primitive {
    public let whenTrue: Graph
    public let whenFalse: Graph
    public var name: String { "conditional" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        try require(inputs[0] == TensorType(.bool, []), "the condition is not a bool scalar")
        let types = whenTrue.outputs.map(\.type)
        try require(whenFalse.outputs.map(\.type) == types, "the branches give different types")
        return types
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        let arguments = Array(site.inputs.dropFirst())
        let cotangents = site.outputs.indices.map {
            site.outputs[$0].dtype.isFloating ? site.cotangentOrZeros($0) : nil
        }
        func pulled(_ graph: Graph) -> Graph {
            let arriving = cotangents.map { $0.map { Tensor.input($0.type, name: "cotangent") } }
            let products = graph.pullback(at: graph.inputs, cotangents: arriving)
            let dense = zip(products, graph.inputs).filter { $1.dtype.isFloating }.map { $0 ?? Tensor.zeros($1.type) }
            return Graph(inputs: graph.inputs + arriving.compactMap { $0 }, outputs: dense)
        }
        let backward = Conditional(whenTrue: pulled(whenTrue), whenFalse: pulled(whenFalse))
        let values = Tensor.apply(backward, [site.inputs[0]] + arguments + cotangents.compactMap { $0 })
        var next = values.makeIterator()
        return [nil] + arguments.map { $0.dtype.isFloating ? next.next() : nil }
    }
}

/// A loop of known length: inputs are the carry, arrays sliced along axis 0, and values every step reads.
///
/// Outputs are the last carry, each step's results stacked along axis 0, and the carry that each step began with: the
/// gradient needs these, and a backend leaves them out where nothing reads them.
public struct Scan: Primitive {
    /// Carry, slices and captured values → next carry and results.
    public let body: Graph
    public let carryCount: Int
    public let slicedCount: Int
    public let length: Int
    /// Whether it begins at the last slice; results still stand at their slice's place.
    public let reversed: Bool
    public var name: String { "scan" }

    public var resultCount: Int { body.outputs.count - carryCount }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        let carry = Array(inputs.prefix(carryCount))
        try require(
            body.outputs.prefix(carryCount).map(\.type) == carry,
            "the body turns carry \(carry) into \(body.outputs.prefix(carryCount).map(\.type))")
        for type in inputs.dropFirst(carryCount).prefix(slicedCount) {
            try require(type.shape.first == length, "\(type) does not have \(length) slices")
        }
        func stacked(_ type: TensorType) -> TensorType {
            TensorType(type.dtype, Shape([length] + type.shape.dimensions))
        }
        return carry + body.outputs.dropFirst(carryCount).map { stacked($0.type) } + carry.map(stacked)
    }

    public func vjp(_ site: VJPSite) -> [Tensor?] {
        let carry = Array(site.inputs.prefix(carryCount))
        let sliced = Array(site.inputs.dropFirst(carryCount).prefix(slicedCount))
        let captured = Array(site.inputs.dropFirst(carryCount + slicedCount))
        let history = Array(site.outputs.suffix(carryCount))

        // Only floating values carry gradient; integers travel along for recomputation.
        let floatingCarry = carry.indices.filter { carry[$0].dtype.isFloating }
        let floatingCaptured = captured.indices.filter { captured[$0].dtype.isFloating }
        let results = (0..<resultCount).filter { site.cotangents[carryCount + $0] != nil }
        let histories = floatingCarry.filter { site.cotangents[carryCount + resultCount + $0] != nil }

        let start =
            floatingCarry.map { site.cotangentOrZeros($0) } + floatingCaptured.map { Tensor.zeros(captured[$0].type) }
        let stepwise =
            results.map { site.cotangents[carryCount + $0]! }
            + histories.map { site.cotangents[carryCount + resultCount + $0]! } + history + sliced
        let (final, products) = scan(start, over: stepwise, reversed: !reversed, length: length) { state, slices in
            var cotangents = [Tensor?](repeating: nil, count: body.outputs.count)
            for (position, index) in floatingCarry.enumerated() { cotangents[index] = state[position] }
            for (position, index) in results.enumerated() { cotangents[carryCount + index] = slices[position] }
            let inputs = Array(slices.dropFirst(results.count + histories.count)) + captured
            let pulled = body.pullback(at: inputs, cotangents: cotangents)
            let nextCarry = floatingCarry.map { index -> Tensor in
                let flowing = pulled[index] ?? Tensor.zeros(carry[index].type)
                guard let place = histories.firstIndex(of: index) else { return flowing }
                return flowing + slices[results.count + place]
            }
            let nextCaptured = floatingCaptured.enumerated().map { position, index in
                let sum = state[floatingCarry.count + position]
                return pulled[carryCount + slicedCount + index].map { sum + $0 } ?? sum
            }
            let perSlice = sliced.indices.filter { sliced[$0].dtype.isFloating }.map { index in
                pulled[carryCount + index] ?? Tensor.zeros(body.inputs[carryCount + index].type)
            }
            return (nextCarry + nextCaptured, perSlice)
        }
        var finalCarry = final.prefix(floatingCarry.count).makeIterator()
        var perSlice = products.makeIterator()
        var finalCaptured = final.dropFirst(floatingCarry.count).makeIterator()
        return carry.map { $0.dtype.isFloating ? finalCarry.next() : nil }
            + sliced.map { $0.dtype.isFloating ? perSlice.next() : nil }
            + captured.map { $0.dtype.isFloating ? finalCaptured.next() : nil }
    }
}

/// Repeats `body` on `state` while `condition` of it holds.
///
/// - Parameters:
///   - condition: state → a bool scalar.
///   - body: state → the next state, of the same types.
public func whileLoop(
    _ state: [Tensor], condition: ([Tensor]) -> Tensor, body: ([Tensor]) -> [Tensor], file: StaticString = #fileID,
    line: UInt = #line
) -> [Tensor] {
    let parameters = state.map { Tensor.input($0.type, name: "state") }
    let goOn = condition(parameters)
    let next = body(parameters)
    // Both graphs take the same captured values, so that a backend has one argument list.
    let captured = Graph.closing(over: parameters, outputs: [goOn] + next).captured
    let inputs = parameters + captured
    return Tensor.apply(
        While(
            condition: Graph(inputs: inputs, outputs: [goOn]), body: Graph(inputs: inputs, outputs: next),
            stateCount: state.count), state + captured, file: file, line: line)
}

/// `whenTrue()` or `whenFalse()`, of the same types, by a bool scalar; only the chosen one runs.
public func conditional(
    _ condition: Tensor, whenTrue: () -> [Tensor], whenFalse: () -> [Tensor], file: StaticString = #fileID,
    line: UInt = #line
) -> [Tensor] {
    let (first, second) = (region(whenTrue), region(whenFalse))
    var captured = first.captured
    let known = Set(captured.map(\.key))
    captured += second.captured.filter { !known.contains($0.key) }
    return Tensor.apply(
        Conditional(
            whenTrue: Graph(inputs: captured, outputs: first.outputs),
            whenFalse: Graph(inputs: captured, outputs: second.outputs)),
        [condition] + captured, file: file, line: line)
}

/// A loop over the slices of `arrays` along axis 0, carrying `state`.
///
/// - Parameters:
///   - reversed: begin at the last slice; results still stand at their slice's place.
///   - length: the number of steps, needed where there are no arrays.
///   - body: the carried state and one slice of each array → the next state, of the same types, and results.
/// - Returns: the last state, and each step's results stacked along axis 0.
public func scan(
    _ state: [Tensor], over arrays: [Tensor], reversed: Bool = false, length: Int? = nil, file: StaticString = #fileID,
    line: UInt = #line, body: ([Tensor], [Tensor]) -> (state: [Tensor], results: [Tensor])
) -> (state: [Tensor], results: [Tensor]) {
    guard let steps = length ?? arrays.first?.shape.first else {
        preconditionFailure("a scan over no arrays needs a length", file: file, line: line)
    }
    let carry = state.map { Tensor.input($0.type, name: "carry") }
    let slices = arrays.map { Tensor.input(TensorType($0.dtype, $0.shape.removing([0])), name: "slice") }
    let next = body(carry, slices)
    let (graph, captured) = Graph.closing(over: carry + slices, outputs: next.state + next.results)
    let outputs = Tensor.apply(
        Scan(
            body: graph, carryCount: state.count, slicedCount: arrays.count, length: steps, reversed: reversed),
        state + arrays + captured, file: file, line: line)
    return (
        Array(outputs.prefix(state.count)), Array(outputs.dropFirst(state.count).prefix(next.results.count))
    )
}
