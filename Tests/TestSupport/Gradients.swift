internal import Foundation
public import Tensor
public import Testing

/// Records an issue unless the gradient of `function` agrees with finite differences at `point`.
///
/// Both are computed in f64 on the reference evaluator, whatever floating type `point` has; integer inputs stay fixed.
/// A result that is not a scalar is contracted with fixed weights, all different, so that every row of the Jacobian
/// counts. Small inputs are moved one element at a time, larger ones along random directions. The differences are of
/// fourth order, `(8(f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h`: keep kinks further than `2·step` from the point.
public func expectGradient(
    of function: ([Tensor]) -> Tensor, at point: [HostArray], step: Double = 1e-4,
    _ tolerance: Tolerance = Tolerance(relative: 1e-7, absolute: 1e-8),
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let point = point.map { $0.dtype.isFloating ? $0.converted(to: .f64) : $0 }
    let inputs = point.map { Tensor.input($0.type, name: "point") }
    let result = function(inputs)
    let weights = HostArray(
        (0..<result.shape.elementCount).map { 1 + 0.5 * sin(Double($0)) }, as: result.dtype, shape: result.shape)
    let loss = result.rank == 0 ? result : (result * .constant(weights)).sum()
    let floating = inputs.indices.filter { inputs[$0].dtype.isFloating }
    let gradients = gradient(of: loss, at: floating.map { inputs[$0] })
    let backward = Graph(inputs: inputs, outputs: gradients)
    let analytic = try TestBackends.reference.run(backward, point)
    let forward = Graph(inputs: inputs, outputs: [loss])

    func value(_ input: Int, _ direction: [Double], _ distance: Double) throws -> Double {
        var moved = point
        let values = zip(point[input].doubles, direction).map { $0 + distance * $1 }
        moved[input] = HostArray(values, shape: point[input].shape)
        return try TestBackends.reference.run(forward, moved)[0].doubles[0]
    }

    for (input, gradient) in zip(floating, analytic) {
        for direction in directions(gradient.count) {
            let slope =
                try
                (8 * (value(input, direction, step) - value(input, direction, -step))
                - (value(input, direction, 2 * step) - value(input, direction, -2 * step))) / (12 * step)
            let derivative = zip(gradient.doubles, direction).reduce(0) { $0 + $1.0 * $1.1 }
            expectClose(
                HostArray(derivative), HostArray(slope), tolerance,
                "gradient of input \(input) along \(direction.count > 16 ? "a direction" : "\(direction)")",
                sourceLocation: sourceLocation)
        }
    }
}

/// Every unit vector of a small space; a few pseudo-random vectors of a larger one.
private func directions(_ count: Int) -> [[Double]] {
    if count <= 24 {
        return (0..<count).map { element in (0..<count).map { $0 == element ? 1 : 0 } }
    }
    var generator = TestRandom(seed: 7)
    return (0..<4).map { _ in (0..<count).map { _ in generator.next() } }
}

/// Numbers for tests, uniform in -1 ..< 1 and the same in every run (splitmix64: Steele, Lea and Flood, 2014).
public struct TestRandom {
    private var state: UInt64
    public init(seed: UInt64) { state = seed }

    public mutating func next() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((word ^ (word >> 31)) >> 11) * 0x1p-52 - 1
    }

    /// An array of numbers in `low ..< high`.
    public mutating func array(_ shape: Shape, _ dtype: DType = .f64, low: Double = -1, high: Double = 1) -> HostArray {
        let values = (0..<shape.elementCount).map { _ in low + (next() + 1) / 2 * (high - low) }
        return HostArray(values, as: dtype, shape: shape)
    }
}
