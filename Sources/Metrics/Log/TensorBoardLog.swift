public import Audio
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A TensorBoard event file: scalars, audio and images over the steps of a run.
///
/// Every record reaches the kernel before the call returns. Point `tensorboard --logdir` at the folder or above it.
public final class TensorBoardLog: MetricsLog {
    /// The event file, in the folder given.
    public let path: String
    private let file: Mutex<AppendOnlyFile>
    private let now: @Sendable () -> Double

    /// Starts a new event file in `folder`, which exists.
    ///
    /// A run that resumes from the checkpoint of `lastStep` passes it, and TensorBoard drops what earlier files in the
    /// folder say of later steps.
    ///
    /// - Throws: ``LogFileError``.
    public convenience init(folder: String, resumingAfter lastStep: Int? = nil) throws {
        try self.init(folder: folder, resumingAfter: lastStep, now: wallTime)
    }

    init(folder: String, resumingAfter lastStep: Int?, now: @escaping @Sendable () -> Double) throws {
        self.now = now
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, host.count - 1)
        let hostName = String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        // The last part tells apart the files that one process starts within a second.
        let number = Self.filesStarted.wrappingAdd(1, ordering: .relaxed).oldValue
        path = "\(folder)/events.out.tfevents.\(Int(now())).\(hostName).\(getpid()).\(number)"
        file = Mutex(try AppendOnlyFile(path: path))
        try record { $0.string("brain.Event:2", field: 3) }
        if let lastStep { try goBack(to: lastStep) }
    }

    /// TensorBoard drops what was recorded before of later steps.
    public func goBack(to step: Int) throws {
        var session = ProtocolBuffer()
        session.integer(1, field: 1)  // START
        try record(step: step + 1) { $0.message(session, field: 7) }
    }

    private static let filesStarted = Atomic<Int>(0)

    public func log(step: Int, _ values: [String: Double]) throws {
        var summary = ProtocolBuffer()
        for (tag, value) in values.sorted(by: { $0.key < $1.key }) {
            var entry = ProtocolBuffer()
            entry.string(tag, field: 1)
            entry.float(Float(value), field: 2)
            summary.message(entry, field: 1)
        }
        try record(step: step) { $0.message(summary, field: 5) }
    }

    /// Records a clip that the browser can play.
    ///
    /// - Throws: ``LogFileError``, and `AudioError` for a clip that is not finite.
    public func log(step: Int, _ tag: String, audio: Waveform) throws {
        var clip = ProtocolBuffer()
        clip.float(Float(audio.sampleRate), field: 1)
        clip.integer(1, field: 2)
        clip.integer(audio.samples.count, field: 3)
        clip.data(try audio.wavFile(name: tag), field: 4)
        clip.string("audio/wav", field: 5)
        try recordEntry(step: step, tag, clip, field: 6)
    }

    /// Records a picture, such as ``SpectrogramImage/png()``.
    ///
    /// - Throws: ``LogFileError``.
    /// - Precondition: `png` is a PNG file.
    public func log(step: Int, _ tag: String, png: [UInt8]) throws {
        precondition(png.count >= 24 && png[12..<16].elementsEqual("IHDR".utf8), "the picture is not a PNG file")
        func word(_ offset: Int) -> Int { png[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) } }
        var picture = ProtocolBuffer()
        picture.integer(word(20), field: 1)
        picture.integer(word(16), field: 2)
        picture.integer(3, field: 3)  // RGB
        picture.data(png, field: 4)
        try recordEntry(step: step, tag, picture, field: 4)
    }

    private func recordEntry(step: Int, _ tag: String, _ content: ProtocolBuffer, field: Int) throws {
        var entry = ProtocolBuffer()
        entry.string(tag, field: 1)
        entry.message(content, field: field)
        var summary = ProtocolBuffer()
        summary.message(entry, field: 1)
        try record(step: step) { $0.message(summary, field: 5) }
    }

    /// Writes one `tensorflow.Event`. As proto3 has it, a step of zero is left out.
    private func record(step: Int = 0, _ body: (inout ProtocolBuffer) -> Void) throws {
        var event = ProtocolBuffer()
        event.double(now(), field: 1)
        if step != 0 { event.integer(step, field: 2) }
        body(&event)
        let bytes = TFRecord.framed(event.bytes)
        try file.withLock { try $0.append(bytes) }
    }
}
