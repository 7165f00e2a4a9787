/// Counter-based random numbers: a key and a shape give the same bits on every backend.
///
/// Threefry-2x32 with 20 rounds (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011), counting the
/// elements as JAX's partitionable generator does, so that equal keys give JAX's numbers.
public struct RandomKey: Sendable {
    /// `u32 [2]`.
    public let words: Tensor

    /// - Precondition: `words` is `u32 [2]`.
    public init(words: Tensor) {
        precondition(words.type == TensorType(.u32, [2]), "a random key is u32[2], not \(words.type)")
        self.words = words
    }

    public init(seed: UInt64) {
        words = .constant(Self.words(seed: seed))
    }

    /// A key's host form, to pass as an argument.
    public static func words(seed: UInt64) -> HostArray {
        HostArray([UInt32(truncatingIfNeeded: seed >> 32), UInt32(truncatingIfNeeded: seed)])
    }

    /// Independent keys; this one should not be used again.
    public func split(_ count: Int = 2) -> [RandomKey] {
        let low = Tensor.iota(TensorType(.u32, [count]), axis: 0)
        let (first, second) = threefry(words, Tensor.zeros(low.type), low)
        let pairs = stack([first, second], axis: 1)
        return (0..<count).map { RandomKey(words: pairs.at($0)) }
    }

    /// A key made of this one and a number, such as a step.
    /// - Parameter data: `u32` scalar.
    public func folding(in data: Tensor) -> RandomKey {
        precondition(data.type == TensorType(.u32, []), "a number to fold in is a u32 scalar, not \(data.type)")
        let (first, second) = threefry(words, Tensor.zeros(TensorType(.u32, [1])), data.reshaped([1]))
        return RandomKey(words: concatenate([first, second], axis: 0))
    }

    public func folding(in data: UInt32) -> RandomKey { folding(in: Tensor.full(Double(data), TensorType(.u32, []))) }

    /// Uniform 32-bit words of `shape`.
    public func bits(_ shape: Shape) -> Tensor {
        precondition(shape.elementCount < 1 << 32, "\(shape) has more elements than one key counts")
        let counter = Tensor.iota(TensorType(.u32, [max(1, shape.elementCount)]), axis: 0)
        let (first, second) = threefry(words, Tensor.zeros(counter.type), counter)
        return (first ^ second).slice(0, 0, shape.elementCount).reshaped(shape)
    }

    /// Uniform in `low ..< high`, from 23 random bits.
    public func uniform(_ shape: Shape, low: Double = 0, high: Double = 1) -> Tensor {
        let mantissa = (bits(shape) >> 9) | Tensor.full(Double(0x3F80_0000), TensorType(.u32, shape))
        let unit = mantissa.bitcast(to: .f32) - 1
        // Rounding may reach below `low`.
        return maximum(unit * (Double(Float(high) - Float(low))) + low, low)
    }

    /// Standard normal, by the inverse of its distribution function.
    public func normal(_ shape: Shape) -> Tensor {
        uniform(shape, low: Double(Float(-1).nextUp), high: 1).inverseErrorFunction() * 2.0.squareRoot()
    }

    /// True with probability `probability`.
    public func bernoulli(_ probability: Double, _ shape: Shape) -> Tensor { uniform(shape).isLess(than: probability) }

    /// i32 in `0 ..< bound`; the bias is below `bound / 2^32`.
    public func integers(_ shape: Shape, below bound: Int) -> Tensor {
        (bits(shape) % Tensor.full(Double(bound), TensorType(.u32, shape))).cast(to: .i32)
    }
}

private func threefry(_ key: Tensor, _ high: Tensor, _ low: Tensor) -> (Tensor, Tensor) {
    let outputs = composite("threefry2x32", [key, high, low]) { inputs in
        let (k0, k1) = (inputs[0].at(0), inputs[0].at(1))
        let parity = Tensor.full(Double(0x1BD1_1BDA), k0.type)
        let schedule = [k0, k1, k0 ^ k1 ^ parity]
        // A loop over the five groups of four rounds: written out twenty times over, the compiler took longer over the weights'
        // first values than the training step takes to compile.
        let pattern: [Double] = [13, 15, 26, 6, 17, 29, 16, 24]
        let rotations = Tensor.constant(pattern + pattern + pattern[..<4], .u32, shape: [5, 4])
        let words = stack(schedule)
        let first = words.gathering(Tensor.constant([1, 2, 0, 1, 2], .i32))
        let second = words.gathering(Tensor.constant([2, 0, 1, 2, 0], .i32)) + Tensor.constant([1, 2, 3, 4, 5], .u32)
        return scan([inputs[1] + k0, inputs[2] + k1], over: [rotations, first, second]) { state, slices in
            var (x, y) = (state[0], state[1])
            for round in 0..<4 {
                x = x + y
                y = y.rotatedLeft(by: slices[0].at(round)) ^ x
            }
            return ([x + slices[1], y + slices[2]], [])
        }.state
    }
    return (outputs[0], outputs[1])
}

extension Tensor {
    /// The bits of each u32 moved up by 1 to 31 places, those that fall off entering below.
    fileprivate func rotatedLeft(by places: Tensor) -> Tensor {
        let places = places.broadcast(to: shape)
        let up = Tensor.apply1(Binary(kind: .shiftLeft), self, places)
        return up | Tensor.apply1(Binary(kind: .shiftRightLogical), self, 32 - places)
    }

    /// The inverse of the error function on (-1, 1), to single precision.
    ///
    /// Giles, "Approximating the erfinv function", 2012: one polynomial in the centre, one in the tails.
    public func inverseErrorFunction() -> Tensor {
        let w = -((1 - self) * (1 + self)).log()
        let inCentre = w.isLess(than: 5)
        let centre = w - 2.5
        let tail = maximum(w, 5).sqrt() - 3
        let centreTerms = [
            2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
            -0.00417768164, 0.246640727, 1.50140941,
        ]
        let tailTerms = [
            -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
            0.00943887047, 1.00167406, 2.83297682,
        ]
        return select(inCentre, centre.polynomial(centreTerms), tail.polynomial(tailTerms)) * self
    }

    /// A polynomial of this value, its coefficients from the highest power down (Horner's rule).
    public func polynomial(_ coefficients: [Double]) -> Tensor {
        precondition(!coefficients.isEmpty, "a polynomial has a coefficient")
        return coefficients.dropFirst().reduce(Tensor.full(coefficients[0], type)) { $0 * self + $1 }
    }
}
