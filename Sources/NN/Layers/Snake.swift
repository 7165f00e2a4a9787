public import Tensor

/// The periodic activation `x + sin²(αx) / (α + 10⁻⁹)`, with a learned frequency for each channel.
///
/// Ziyin et al., "Neural Networks Fail to Learn Periodic Functions and How to Fix It", 2020.
public struct Snake: Module {
    /// `[channels]`, in radians per unit.
    public let alpha: Parameter

    public init(_ channels: Int) { alpha = Parameter([channels], .ones) }

    /// `x`: `[…, channels]` → the same shape.
    public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
        precondition(
            x.shape.last == alpha.shape[0], "Snake of \(alpha.shape[0]) channels got \(x.shape)", file: file, line: line
        )
        return snake(x, alpha: alpha.tensor)
    }
}

/// `x + sin²(αx) / (α + 10⁻⁹)`, at least in f32 whatever the type of `x`.
///
/// - Parameters:
///   - x: `[…, channels]`.
///   - alpha: `[channels]`, f32 (or the type of `x`).
public func snake(_ x: Tensor, alpha: Tensor) -> Tensor {
    composite("snake", [x, alpha], attributes: ["epsilon": guardTerm], gradient: snakeGradient) { inputs in
        let (x, alpha) = widened(inputs[0], inputs[1])
        // One reciprocal a channel: a division an element would cost more than the polynomial.
        let y = x + (alpha * x).sineSquared() * (1 / (alpha + guardTerm))
        return [y.cast(to: inputs[0].dtype)]
    }[0]
}

private let guardTerm = 1e-9

/// `∂y/∂x = 1 + α·sin(2αx) / (α + ε)` and `∂y/∂α = Σ x·sin(2αx) / (α + ε) − sin²(αx) / (α + ε)²`.
private let snakeGradient: GradientRule = { inputs, _, cotangents in
    let (x, alpha) = widened(inputs[0], inputs[1])
    let g = cotangents[0].cast(to: x.dtype)
    let angle = alpha * x
    let inverse = 1 / (alpha + guardTerm)
    let slope = angle.sineOfTwice()
    let forX = g * (1 + alpha * inverse * slope)
    // A column sum fused with this much elementwise work is 30 times slower on XLA's CPU backend than the two apart.
    let summands = barrier([g * (x * slope - angle.sineSquared() * inverse) * inverse])[0]
    let forAlpha = summands.sum(axes: Array(0..<(x.rank - 1)))
    return [forX.cast(to: inputs[0].dtype), forAlpha.cast(to: inputs[1].dtype)]
}

/// Both in f64 if `x` is, else in f32.
private func widened(_ x: Tensor, _ alpha: Tensor) -> (Tensor, Tensor) {
    let dtype: DType = x.dtype == .f64 ? .f64 : .f32
    return (x.cast(to: dtype), alpha.cast(to: dtype))
}

extension Tensor {
    /// sin²(x). In f32 by a polynomial, which fuses and is about ten times as fast as the library's sine; within 3·10⁻⁷
    /// for |x| ≤ 10⁴.
    package func sineSquared() -> Tensor {
        if dtype == .f64 { return sin().squared }
        let r = reducedByPi()
        let u = r * r
        // sin r = r + r³·P(r²) on |r| ≤ π/2: minimax, 5·10⁻⁹.
        let terms = [2.599751832598997e-06, -0.00019806478979563047, 0.008333015417888914, -0.16666657020578715]
        let sine = r + r * (u * u.polynomial(terms))
        return sine * sine
    }

    /// sin(2x) likewise, within 6·10⁻⁷.
    package func sineOfTwice() -> Tensor {
        if dtype == .f64 { return (self * 2).sin() }
        let r = reducedByPi()
        let u = r * r
        // sin 2r = 2r + r³·P(r²) on |r| ≤ π/2: minimax, 2·10⁻⁹.
        let terms = [
            1.1078769141887237e-06, -5.05893333922525e-05, 0.0014096785998450622, -0.02539567938296169,
            0.2666661651001926, -1.3333332546497176,
        ]
        return 2 * r + r * (u * u.polynomial(terms))
    }

    /// The distance to the nearest multiple of π, which is all that sin² and sin 2x depend on.
    private func reducedByPi() -> Tensor {
        let count = (self * (1 / Double.pi)).rounded().stoppingGradient
        // π in two parts (Cody and Waite, 1980): the first has 12 bits, so that its product with a count below 2¹² is exact.
        let high = 3217.0 / 1024
        let distance = self - count * high - count * (Double.pi - high)
        // Past 10⁶ the subtraction has no correct digit left. What it leaves must still be an angle, or the polynomial's
        // powers of it blow up an activation that was only large. The bound leaves room beyond π/2 for the rounding of `count`.
        return distance.clamped(-1.6, 1.6)
    }
}
