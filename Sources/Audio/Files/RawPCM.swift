/// Headerless samples, little-endian: what `arecord -t raw`, `sox -t raw` and `ffmpeg -f s16le` speak.
public enum RawPCM: String, Sendable, CaseIterable {
    /// 16-bit signed integers.
    case s16le
    /// 32-bit IEEE floats.
    case f32le

    public var bytesPerSample: Int { self == .s16le ? 2 : 4 }

    func encode(_ samples: [Float]) -> [UInt8] {
        switch self {
        case .s16le: samples.map { Int16(clipping: $0).littleEndian }.withUnsafeBytes { Array($0) }
        case .f32le: samples.map { $0.bitPattern.littleEndian }.withUnsafeBytes { Array($0) }
        }
    }

    func decode(_ bytes: ArraySlice<UInt8>) -> [Float] {
        bytes.withUnsafeBytes { buffer in
            stride(from: 0, to: buffer.count, by: bytesPerSample).map { offset in
                switch self {
                case .s16le:
                    Float(Int16(littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: Int16.self))) / 32768
                case .f32le:
                    Float(
                        bitPattern: UInt32(
                            littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
                }
            }
        }
    }
}

extension Int16 {
    /// A sample in -1...1 to the nearest of 65 536 levels; what lies outside is clipped.
    ///
    /// The scale is 32768, as readers use, so samples that came from 16 bits go back to the same bits.
    init(clipping sample: Float) {
        self = Int16(Swift.min(Swift.max((sample * 32768).rounded(), -32768), 32767))
    }
}

/// Reads raw PCM from a descriptor as mono, giving samples as soon as they arrive: fit for live pipes.
public final class RawPCMReader: SampleStream {
    public let sampleRate: Int
    public let channels: Int
    public let format: RawPCM
    public var expectedFrames: Int? { nil }

    private let descriptor: Int32
    private let path: String
    private let isOver: @Sendable () -> Bool
    /// Bytes of a frame that has not arrived whole.
    private var partial: [UInt8] = []
    private var position = 0

    /// Reads from `descriptor` (standard input unless given), which the caller keeps open; `name` stands for it in errors.
    ///
    /// - Parameter isOver: asked again and again while nothing arrives, whether to wait no longer and take the input as ended.
    /// - Throws: ``AudioError``.
    public init(
        descriptor: Int32 = 0, name: String = "-", format: RawPCM, sampleRate: Int, channels: Int = 1,
        isOver: @escaping @Sendable () -> Bool = { false }
    ) throws {
        guard SampleRate.supported.contains(sampleRate) else {
            throw AudioError.unsupportedRate(path: name, rate: sampleRate)
        }
        guard (1...AudioReader.maximumChannels).contains(channels) else {
            throw AudioError.tooManyChannels(path: name, channels: channels)
        }
        self.descriptor = descriptor
        self.path = name
        self.format = format
        self.sampleRate = sampleRate
        self.channels = channels
        self.isOver = isOver
    }

    public func read(maximumFrames: Int) throws -> [Float] {
        precondition(maximumFrames > 0, "a read asks for at least one frame, not \(maximumFrames)")
        let bytesPerFrame = format.bytesPerSample * channels
        let capacity = min(maximumFrames, 1 << 16) * bytesPerFrame
        var bytes = partial
        while bytes.count < bytesPerFrame {
            while !isReadable(descriptor, milliseconds: 100) { if isOver() { return [] } }
            let arrived = try readBytes(descriptor, atMost: capacity - bytes.count, path: path)
            if arrived.isEmpty {
                guard bytes.isEmpty else { throw AudioError.partialSample(path: path, bytes: bytes.count) }
                if position == 0 { throw AudioError.empty(path: path) }
                return []
            }
            bytes += arrived
        }
        let whole = bytes.count / bytesPerFrame * bytesPerFrame
        partial = Array(bytes[whole...])
        var samples = format.decode(bytes[..<whole])
        let count = samples.count / channels
        samples.withUnsafeMutableBufferPointer { mixDown($0, frames: count, channels: channels) }
        samples.removeLast(samples.count - count)
        try requireFinite(samples, upTo: loudestSample, from: position, sampleRate: sampleRate, path: path)
        position += samples.count
        return samples
    }
}

/// Writes raw PCM to a descriptor, such as standard output; each `write` reaches it before returning.
///
/// A program that writes to pipes should ignore SIGPIPE, so that a closed pipe is an error here and not its death.
public final class RawPCMWriter: SampleSink {
    public let format: RawPCM
    public let sampleRate: Int
    /// The count of samples written so far.
    public private(set) var frames = 0

    private let descriptor: Int32
    private let path: String

    /// Writes to `descriptor` (standard output unless given), which the caller keeps open; `name` stands for it in errors.
    public init(descriptor: Int32 = 1, name: String = "-", format: RawPCM, sampleRate: Int) {
        self.descriptor = descriptor
        self.path = name
        self.format = format
        self.sampleRate = sampleRate
    }

    public func write(_ samples: [Float]) throws {
        try requireFinite(samples, from: frames, sampleRate: sampleRate, path: path)
        try writeBytes(descriptor, format.encode(samples), path: path)
        frames += samples.count
    }

    public func finish() {}
}
