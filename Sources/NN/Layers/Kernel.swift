public import Tensor

/// The weights of a convolution, `[space…, input / groups, output]`: plain, or as direction and length.
///
/// Weight normalisation (Salimans and Kingma, 2016): `w = g · v / ‖v‖`, the norm taken over all that reaches one output
/// channel. In a module's parameters this is `weight`, or `weight.direction` and `weight.gain`.
public enum Kernel: Sendable {
    case plain(Parameter)
    /// `product`: the weights, made once. Where a layer is called twice, as a discriminator is on real and generated sound, its
    /// gradients then meet before the norm and not behind it, and pass through it once.
    case normalized(direction: Parameter, gain: Parameter, product: Tensor)

    /// - Parameter weightNorm: whether to learn direction and length apart. The gain starts at one, which is what LeCun's
    ///   variance gives on average, whatever the initializer's scale.
    public init(_ shape: Shape, _ initializer: Initializer = .lecunNormal, weightNorm: Bool = false) {
        guard weightNorm else {
            self = .plain(Parameter(shape, initializer))
            return
        }
        let (direction, gain) = (Parameter(shape, initializer), Parameter([shape[shape.rank - 1]], .ones))
        self = .normalized(
            direction: direction, gain: gain,
            product: weightNormalized(direction: direction.tensor, gain: gain.tensor))
    }

    init(
        _ extents: [Int], _ inputs: Int, _ outputs: Int, groups: Int, _ initializer: Initializer, weightNorm: Bool,
        _ file: StaticString, _ line: UInt
    ) {
        precondition(
            groups > 0 && inputs % groups == 0 && outputs % groups == 0,
            "\(inputs) to \(outputs) channels do not divide in \(groups) groups", file: file, line: line)
        self.init(Shape(extents + [inputs / groups, outputs]), initializer, weightNorm: weightNorm)
    }

    public var shape: Shape {
        switch self {
        case .plain(let weight): weight.shape
        case .normalized(let direction, _, _): direction.shape
        }
    }

    /// The weights in the precision of a computation; the norm is taken in f32.
    public func tensor(as dtype: DType) -> Tensor {
        switch self {
        case .plain(let weight): weight.tensor(as: dtype)
        case .normalized(_, _, let product): product.cast(to: dtype)
        }
    }
}

/// `gain · direction / ‖direction‖`, the norm over all axes but the last.
func weightNormalized(direction: Tensor, gain: Tensor) -> Tensor {
    let norm = direction.squared.sum(axes: Array(0..<(direction.rank - 1))).sqrt()
    return direction * (gain / norm)
}

/// A model's parameters with every `….direction` and `….gain` multiplied out to the plain weight of that path: what the
/// same model without weight normalisation takes.
public func foldingWeightNorm(_ parameters: [String: Tensor]) -> [String: Tensor] {
    var folded = parameters
    for (path, direction) in parameters where path.hasSuffix(".direction") {
        let weight = String(path.dropLast(".direction".count))
        guard let gain = parameters["\(weight).gain"] else { continue }
        folded[path] = nil
        folded["\(weight).gain"] = nil
        folded[weight] = weightNormalized(direction: direction, gain: gain)
    }
    return folded
}
