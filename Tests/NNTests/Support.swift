import NN
import Tensor
import TestSupport
import Testing

/// One case of a fixture: the arrays whose names begin with `name/`, and a check of a layer against them.
struct LayerCase {
    let name: String
    let arrays: [String: HostArray]

    init(_ fixture: Fixture, _ name: String) {
        self.name = name
        arrays = fixture.arrays.reduce(into: [:]) { found, entry in
            if entry.key.hasPrefix("\(name)/") { found[String(entry.key.dropFirst(name.count + 1))] = entry.value }
        }
    }

    static func all(_ fixture: Fixture, prefix: String) -> [LayerCase] {
        Set(fixture.arrays.keys.compactMap { $0.split(separator: "/").first }.filter { $0.hasPrefix(prefix) })
            .sorted().map { LayerCase(fixture, String($0)) }
    }

    func array(_ name: String) throws -> HostArray {
        try #require(arrays[name], "\(self.name) has no \(name)")
    }

    var configuration: [Int] {
        get throws { try array("config").values(as: Int32.self).map(Int.init) }
    }

    /// Expects the layer's output, and the gradients of `sum(y · g)` for its inputs and all its parameters.
    func expect(
        _ parameters: [String: Parameter], inputs names: [String] = ["x"], relative: Double = 2e-5,
        absolute: Double = 2e-5, sourceLocation: SourceLocation = #_sourceLocation, _ layer: ([Tensor]) -> Tensor
    ) throws {
        let inputs = try names.map { Tensor.input(try array($0).type, name: $0) }
        let paths = parameters.keys.sorted()
        for path in paths {
            #expect(try array(path).type == parameters[path]?.type, "\(name) \(path)", sourceLocation: sourceLocation)
        }
        let y = layer(inputs)
        let loss = (y * Tensor.constant(try array("g"))).sum()
        let differentiable = zip(names, inputs).filter { $0.1.dtype.isFloating }
        let all = differentiable.map(\.1) + paths.map { parameters[$0]!.tensor }
        let gradients = gradient(of: loss, at: all)
        let graph = Graph(inputs: inputs + paths.map { parameters[$0]!.tensor }, outputs: [y] + gradients)
        let values = try names.map(array) + paths.map(array)
        for backend in TestBackends.all {
            let results = try backend.run(graph, values)
            expectClose(
                results[0], try array("y"), relative: relative, absolute: absolute, "\(backend.name) \(name)",
                sourceLocation: sourceLocation)
            for (path, result) in zip(differentiable.map(\.0) + paths, results.dropFirst()) {
                // A gradient is a sum of many products, and its error follows the largest of them.
                let expected = try array("gradient.\(path)")
                let scale = expected.doubles.reduce(0) { max($0, abs($1)) }
                expectClose(
                    result, expected, relative: relative, absolute: absolute * max(1, scale),
                    "\(backend.name) \(name) gradient of \(path)", sourceLocation: sourceLocation)
            }
        }
    }
}

/// Small random values for every parameter, so that no scale or bias is at a special value.
func randomValues(_ parameters: [String: Parameter], seed: UInt64 = 3) -> [String: HostArray] {
    var random = TestRandom(seed: seed)
    return parameters.sorted { $0.key < $1.key }.reduce(into: [:]) { values, entry in
        let fan = entry.value.shape.dimensions.dropLast().reduce(1, *)
        let scale = entry.value.shape.rank > 1 ? 1.5 / Double(fan).squareRoot() : 1
        values[entry.key] = random.array(entry.value.shape, .f32, low: -0.4 * scale, high: scale)
    }
}

/// A model with values for its parameters, run on one backend.
struct BoundModel {
    let parameters: [String: Parameter]
    let values: [String: HostArray]
    let call: (Tensor, inout Past) -> Tensor

    init(_ model: some Module, _ call: @escaping (Tensor, inout Past) -> Tensor) {
        parameters = model.parameters
        values = randomValues(parameters)
        self.call = call
    }

    private var paths: [String] { parameters.keys.sorted() }

    private func run(
        _ inputs: [(Tensor, HostArray)], _ outputs: [Tensor], on backend: any TestBackend
    ) throws -> [HostArray] {
        let graph = Graph(inputs: inputs.map(\.0) + paths.map { parameters[$0]!.tensor }, outputs: outputs)
        return try backend.run(graph, inputs.map(\.1) + paths.map { values[$0]! })
    }

    /// The whole of `x` at once; `mask` marks padding.
    func offline(_ x: HostArray, mask: HostArray? = nil, on backend: any TestBackend) throws -> HostArray {
        let input = Tensor.input(x.type, name: "x")
        var past = mask.map { Past.offline(mask: .constant($0)) } ?? .offline()
        return try run([(input, x)], [call(input, &past)], on: backend)[0]
    }

    /// `x: [batch, time, channels]` in chunks, joined again.
    func streaming(_ x: HostArray, chunks: [Int], on backend: any TestBackend) throws -> HostArray {
        let shape = x.shape
        let types = Past.initialState { past in
            _ = call(Tensor.input(TensorType(x.dtype, [shape[0], chunks[0], shape[2]]), name: "x"), &past)
        }
        var state = types.mapValues { HostArray(repeating: 0, type: $0) }
        var pieces: [HostArray] = []
        var start = 0
        for count in chunks {
            let chunk = x.slicing(time: start..<(start + count))
            start += count
            let input = Tensor.input(chunk.type, name: "chunk")
            let carried = types.mapValues { Tensor.input($0, name: "state") }
            var past = Past(streaming: carried)
            let y = call(input, &past)
            let names = types.keys.sorted()
            #expect(past.nextState.mapValues(\.type) == types)
            let results = try run(
                [(input, chunk)] + names.map { (carried[$0]!, state[$0]!) }, [y] + names.map { past.nextState[$0]! },
                on: backend)
            pieces.append(results[0])
            for (name, value) in zip(names, results.dropFirst()) { state[name] = value }
        }
        return joined(pieces)
    }
}

extension HostArray {
    /// Steps of axis 1 of an f32 array.
    func slicing(time range: Range<Int>) -> HostArray {
        let (batch, time) = (shape[0], shape[1])
        let width = shape.dropFirst(2).reduce(1, *)
        let source = floats
        let values = (0..<batch).flatMap { b in
            source[(b * time + range.lowerBound) * width..<(b * time + range.upperBound) * width]
        }
        return HostArray(values, shape: Shape([batch, range.count] + shape.dropFirst(2)))
    }

    /// Row `index` of axis 0 of an f32 array, still with that axis.
    func row(_ index: Int) -> HostArray {
        let width = shape.dropFirst().reduce(1, *)
        return HostArray(
            Array(floats[index * width..<(index + 1) * width]), shape: Shape([1] + shape.dropFirst()))
    }
}

/// f32 arrays one after another along axis 1.
func joined(_ pieces: [HostArray]) -> HostArray {
    let batch = pieces[0].shape[0]
    let rows = (0..<batch).flatMap { b in pieces.flatMap { $0.row(b).floats } }
    var shape = pieces[0].shape
    shape[1] = pieces.reduce(0) { $0 + $1.shape[1] }
    return HostArray(rows, shape: shape)
}
