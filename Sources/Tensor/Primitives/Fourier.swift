/// The discrete Fourier transform along the last axis, with real and imaginary parts as separate tensors.
public struct Fourier: Primitive {
    public enum Kind: String, Sendable, CaseIterable {
        /// Real to complex, the non-negative frequencies only.
        case realForward
        /// Complex, the non-negative frequencies, to real; scaled by 1/length.
        case realInverse
        case forward
        /// Scaled by 1/length.
        case inverse
    }

    public let kind: Kind
    /// The length of the transform, in samples of time.
    public let length: Int
    public var name: String { "fourier" + kind.rawValue.prefix(1).uppercased() + kind.rawValue.dropFirst() }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> [TensorType] {
        var type = inputs[0]
        try require(type.dtype == .f32 || type.dtype == .f64, "is not defined on \(type.dtype.rawValue)")
        try require(type.shape.rank > 0 && length > 0, "needs an axis and a positive length")
        let last = type.shape.rank - 1
        let bins = kind == .realInverse ? length / 2 + 1 : length
        try require(type.shape[last] == bins, "a transform of length \(length) takes \(bins) along the last axis")
        if kind != .realForward { try require(inputs[1] == type, "real and imaginary parts differ") }
        type.shape[last] = kind == .realForward ? length / 2 + 1 : length
        return kind == .realInverse ? [type] : [type, type]
    }

    // Each transform is linear, so its rule is its transpose. The halved spectra count every frequency but the edge ones
    // twice, which the weights below put right.
    public func vjp(_ site: VJPSite) -> [Tensor?] {
        switch kind {
        case .realForward:
            let weights = edgeWeights(site.outputs[0].type, edge: Double(length), inside: Double(length) / 2)
            let real = site.cotangentOrZeros(0) * weights
            let imaginary = site.cotangentOrZeros(1) * weights
            return [irfft(ComplexTensor(real, imaginary), length: length)]
        case .realInverse:
            let spectrum = rfft(site.cotangent)
            let weights = edgeWeights(
                site.inputs[0].type, edge: 1 / Double(length), inside: 2 / Double(length))
            return [spectrum.real * weights, spectrum.imaginary * weights]
        case .forward, .inverse:
            let opposite = Fourier(kind: kind == .forward ? .inverse : .forward, length: length)
            let scale = kind == .forward ? Double(length) : 1 / Double(length)
            let parts = Tensor.apply(opposite, [site.cotangentOrZeros(0), site.cotangentOrZeros(1)])
            return parts.map { $0 * scale }
        }
    }

    /// One weight for frequency 0 (and the Nyquist frequency, where there is one) and another between.
    private func edgeWeights(_ type: TensorType, edge: Double, inside: Double) -> Tensor {
        let bins = length / 2 + 1
        var weights = [Double](repeating: inside, count: bins)
        weights[0] = edge
        if length % 2 == 0 { weights[bins - 1] = edge }
        return .constant(weights, type.dtype)
    }
}

/// Complex values as two real tensors of one type.
public struct ComplexTensor: Sendable {
    public var real: Tensor
    public var imaginary: Tensor

    public init(_ real: Tensor, _ imaginary: Tensor) {
        self.real = real
        self.imaginary = imaginary
    }

    /// The squared magnitude.
    public var power: Tensor { real * real + imaginary * imaginary }
}

/// The spectrum of real `x: […, n]` → `[…, n/2 + 1]`.
public func rfft(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> ComplexTensor {
    let kind = Fourier(kind: .realForward, length: x.shape.last ?? 0)
    let parts = Tensor.apply(kind, [x], file: file, line: line)
    return ComplexTensor(parts[0], parts[1])
}

/// The real signal of `length` whose non-negative frequencies are `spectrum: […, length/2 + 1]`.
public func irfft(
    _ spectrum: ComplexTensor, length: Int, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
    Tensor.apply1(
        Fourier(kind: .realInverse, length: length), spectrum.real, spectrum.imaginary, file: file, line: line)
}

/// The complex transform along the last axis.
public func fft(_ x: ComplexTensor, file: StaticString = #fileID, line: UInt = #line) -> ComplexTensor {
    let kind = Fourier(kind: .forward, length: x.real.shape.last ?? 0)
    let parts = Tensor.apply(kind, [x.real, x.imaginary], file: file, line: line)
    return ComplexTensor(parts[0], parts[1])
}

/// The inverse complex transform along the last axis, scaled by 1/n.
public func ifft(_ x: ComplexTensor, file: StaticString = #fileID, line: UInt = #line) -> ComplexTensor {
    let kind = Fourier(kind: .inverse, length: x.real.shape.last ?? 0)
    let parts = Tensor.apply(kind, [x.real, x.imaginary], file: file, line: line)
    return ComplexTensor(parts[0], parts[1])
}
