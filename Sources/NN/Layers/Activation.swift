public import Tensor

/// Elementwise nonlinearities without parameters, as a multilayer perceptron chooses among them.
public enum Activation: String, Sendable, Hashable, Codable, CaseIterable {
    case relu, gelu, geluTanh, silu

    public func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .relu: x.relu()
        case .gelu: x.gelu()
        case .geluTanh: x.geluTanh()
        case .silu: x.silu()
        }
    }
}

extension Tensor {
    /// `max(x, 0)`.
    public func relu() -> Tensor { select(isGreater(than: 0), self, Tensor.zeros(type)) }

    /// `x` above zero and `slope · x` below.
    public func leakyReLU(_ slope: Double = 0.01) -> Tensor { select(isGreater(than: 0), self, self * slope) }

    /// `x` above zero and `eˣ - 1` below.
    public func elu() -> Tensor {
        let positive = isGreater(than: 0)
        // The unchosen branch must stay finite, or its gradient of 0·∞ would be NaN.
        return select(positive, self, select(positive, Tensor.zeros(type), self).expm1())
    }

    /// `x · σ(x)`; also called swish.
    public func silu() -> Tensor { composite("silu", [self]) { [$0[0] * $0[0].sigmoid()] }[0] }

    /// `x · Φ(x)` with the normal distribution function (Hendrycks and Gimpel, 2016).
    public func gelu() -> Tensor {
        composite("gelu", [self]) { [$0[0] * (0.5 + 0.5 * ($0[0] * 0.5.squareRoot()).errorFunction())] }[0]
    }

    /// The approximation of `gelu` by a hyperbolic tangent, within 5·10⁻⁴.
    public func geluTanh() -> Tensor {
        let inner = (2 / Double.pi).squareRoot() * (self + 0.044715 * (self * self * self))
        return 0.5 * self * (1 + inner.tanh())
    }

    /// The error function to single precision: a rational minimax approximation on ±4, beyond which it is ±1 in f32.
    ///
    /// The gradient is `2/√π · exp(-x²)`, as the approximation's own slope is ten times less exact than its value; in f64
    /// it is that slope, so that finite differences agree with it.
    public func errorFunction() -> Tensor {
        let exact: GradientRule = { inputs, _, cotangents in
            [cotangents[0] * (2 / Double.pi.squareRoot()) * (-inputs[0].squared).exp()]
        }
        return composite("erf", [self], gradient: dtype == .f64 ? nil : exact) { [$0[0].rationalErrorFunction()] }[0]
    }

    private func rationalErrorFunction() -> Tensor {
        let x = clamped(-4, 4)
        let u = x * x
        let numerator = u.polynomial([
            -2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
            -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02,
        ])
        let denominator = u.polynomial([
            -1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03,
            -1.42647390514189e-02,
        ])
        return x * numerator / denominator
    }
}
