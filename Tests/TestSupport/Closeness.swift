public import Tensor
public import Testing

/// How far a value may be from what is expected: `|actual - expected| ≤ absolute + relative · |expected|`.
public struct Tolerance: Sendable {
    public var relative: Double
    public var absolute: Double

    public init(relative: Double, absolute: Double) {
        self.relative = relative
        self.absolute = absolute
    }

    public static let exact = Tolerance(relative: 0, absolute: 0)

    /// A few roundings of one operation of this dtype; nothing for integers and bools.
    public static func rounding(of dtype: DType) -> Tolerance {
        switch dtype {
        case .f64: Tolerance(relative: 1e-13, absolute: 1e-14)
        case .f32: Tolerance(relative: 2e-6, absolute: 1e-6)
        case .bf16: Tolerance(relative: 1e-2, absolute: 1e-3)
        case .f16: Tolerance(relative: 2e-3, absolute: 1e-4)
        default: .exact
        }
    }
}

/// Records an issue unless the arrays have one type and every element is within tolerance (by default a few roundings).
///
/// NaN is close to NaN alone, and an infinity to itself; -0 is 0.
public func expectClose(
    _ actual: HostArray, _ expected: HostArray, _ tolerance: Tolerance? = nil,
    _ label: @autoclosure () -> String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
    let tolerance = tolerance ?? .rounding(of: expected.dtype)
    guard actual.type == expected.type else {
        Issue.record(
            "\(label()): got \(actual.type) where \(expected.type) was expected", sourceLocation: sourceLocation)
        return
    }
    // Integers beyond 2^53 differ where their doubles do not.
    if tolerance.relative == 0 && tolerance.absolute == 0 && !expected.dtype.isFloating && actual == expected { return }
    let (got, wanted) = (actual.doubles, expected.doubles)
    func error(_ index: Int) -> Double {
        if got[index] == wanted[index] || (got[index].isNaN && wanted[index].isNaN) { return 0 }
        let difference = abs(got[index] - wanted[index])
        return difference.isNaN ? .infinity : difference
    }
    let wrong = got.indices.filter {
        let error = error($0)
        return error > 0 && (error == .infinity || error > tolerance.absolute + tolerance.relative * abs(wanted[$0]))
    }
    if wrong.isEmpty {
        if !expected.dtype.isFloating && actual != expected {
            Issue.record("\(label()): integers differ beyond 2^53", sourceLocation: sourceLocation)
        }
        return
    }
    let worst = wrong.max { error($0) < error($1) }!
    let listed = wrong.prefix(5).map { "\(position($0, expected.shape)): \(got[$0]) ≠ \(wanted[$0])" }
    Issue.record(
        """
        \(label()): \(wrong.count) of \(got.count) elements of \(expected.type) are not within \
        \(tolerance.absolute) + \(tolerance.relative)·|expected|; worst at \(position(worst, expected.shape)): \
        got \(got[worst]), expected \(wanted[worst]); first: \(listed.joined(separator: ", "))
        """, sourceLocation: sourceLocation)
}

/// As above, with the two parts of the tolerance given as numbers.
public func expectClose(
    _ actual: HostArray, _ expected: HostArray, relative: Double, absolute: Double,
    _ label: @autoclosure () -> String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
    expectClose(
        actual, expected, Tolerance(relative: relative, absolute: absolute), label(), sourceLocation: sourceLocation)
}

private func position(_ index: Int, _ shape: Shape) -> [Int] {
    zip(shape, shape.strides).map { extent, stride in index / stride % extent }
}
