public import Checkpoint

/// Writes tokens as a NumPy array, `int64` `[frames, levels]`, in NPY format 1.0.
///
/// The header, at the front, needs the number of frames. In a file it is put right at the end; a pipe gets nothing before
/// the end, and the codes stay in memory till then, 8 bytes each.
public final class NumPyTokenWriter: TokenSink {
    private let output: OutputFile
    private let layout: TokenLayout
    private var frameCount = 0
    private var held: [UInt8] = []

    /// - Throws: `FileError`.
    public init(to output: OutputFile, header: TokenHeader) throws {
        self.output = output
        layout = header.layout
        if output.isRewritable { try output.write(npyHeader) }
    }

    public func append(_ frames: TokenFrames) throws {
        try layout.check(frames, name: output.name)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(frames.codes.count * 8)
        for code in frames.codes { bytes.append(littleEndian: Int64(code)) }
        if output.isRewritable { try output.write(bytes) } else { held += bytes }
        frameCount += frames.count
    }

    public func flush() {}

    public func finish(sampleCount: Int) throws {
        if output.isRewritable {
            try output.overwrite(npyHeader, at: 0)
        } else {
            try output.write(npyHeader + held)
        }
        try output.commit()
    }

    /// 128 bytes whatever the number of frames, so that it can be overwritten.
    private var npyHeader: [UInt8] {
        let shape = "(\(frameCount), \(layout.levels.count))"
        let description = Array("{'descr': '<i8', 'fortran_order': False, 'shape': \(shape), }".utf8)
        let padding = [UInt8](repeating: UInt8(ascii: " "), count: 128 - 10 - 1 - description.count)
        return [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + description + padding + [UInt8(ascii: "\n")]
    }
}
