// The functions have the names of the header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CAllophone
import Checkpoint
import Codec
import Native
import Tokenizer

/// What an `allophone_codec` points to.
final class CodecHandle: Sendable {
    let codec: NativeCodec
    let format: allophone_format
    let levels: [TokenLayout.Level]

    init(_ file: ModelFile, _ directions: Set<NativeCodec.Direction>, _ precision: Precision, threads: Int) throws {
        codec = try NativeCodec(file, precision: precision, threads: threads, directions: directions)
        if directions.contains(.searching) { _ = try SearchingCodec(codec, paths: 1) }
        let configuration = file.model.configuration
        levels = try configuration.tokenLayout.levels
        var format = allophone_format()
        format.sample_rate = UInt32(configuration.sampleRate)
        format.hop = UInt32(configuration.hop)
        format.level_count = UInt32(levels.count)
        format.bits_per_frame = UInt32(configuration.bitsPerFrame)
        withUnsafeMutableBytes(of: &format.fingerprint) { $0.copyBytes(from: file.fingerprint.bytes) }
        self.format = format
    }

    var hop: Int { codec.model.configuration.hop }

    func searching(paths: Int) throws -> SearchingCodec { try SearchingCodec(codec, paths: paths) }
}

@c @implementation
public func allophone_interface() -> UInt32 { UInt32(ALLOPHONE_INTERFACE) }

@c @implementation
public func allophone_error_message() -> UnsafePointer<CChar>? { LastError.message }

@c @implementation
public func allophone_codec_open(
    _ path: UnsafePointer<CChar>?, _ use: UInt32, _ precision: UInt32, _ threads: UInt32,
    _ codec: UnsafeMutablePointer<OpaquePointer?>?
) -> allophone_status {
    attempt {
        let codec = try result(codec, "codec", nil)
        guard let path else { throw CallError.argument("path is NULL") }
        guard let path = String(validatingCString: path) else { throw CallError.argument("path is not UTF-8") }
        guard (1...256).contains(threads) else {
            throw CallError.argument("\(threads) threads, where 1 to 256 are possible")
        }
        let (directions, form) = (try directions(use), try form(precision))
        codec.pointee = handle(try CodecHandle(ModelFile(path: path), directions, form, threads: Int(threads)))
    }
}

private func directions(_ use: UInt32) throws -> Set<NativeCodec.Direction> {
    let each: [(allophone_use, Set<NativeCodec.Direction>)] = [
        (ALLOPHONE_ENCODE, [.encoding]), (ALLOPHONE_DECODE, [.decoding]), (ALLOPHONE_SEARCH, [.searching, .decoding]),
    ]
    guard (1...7).contains(use) else { throw CallError.argument("use \(use) is not of allophone_use") }
    return each.filter { use & $0.0.rawValue != 0 }.reduce(into: []) { $0.formUnion($1.1) }
}

private func form(_ precision: UInt32) throws -> Precision {
    switch allophone_precision(precision) {
    case ALLOPHONE_F32: .f32
    case ALLOPHONE_BF16: .bf16
    case ALLOPHONE_INT8: .int8
    default: throw CallError.argument("precision \(precision) is none of allophone_precision")
    }
}

@c @implementation
public func allophone_codec_close(_ codec: OpaquePointer?) { close(codec) }

@c @implementation
public func allophone_codec_format(
    _ codec: OpaquePointer?, _ format: UnsafeMutablePointer<allophone_format>?
) -> allophone_status {
    attempt {
        let format = try result(format, "format", allophone_format())
        format.pointee = (try object(codec, "codec") as CodecHandle).format
    }
}

@c @implementation
public func allophone_codec_delay(_ codec: OpaquePointer?, _ samples: UnsafeMutablePointer<Int>?) -> allophone_status {
    attempt {
        let samples = try result(samples, "samples", 0)
        let codec: CodecHandle = try object(codec, "codec")
        samples.pointee = codec.codec.model.configuration.delaySamples
    }
}

@c @implementation
public func allophone_codec_level(
    _ codec: OpaquePointer?, _ level: UInt32, _ description: UnsafeMutablePointer<allophone_level>?
) -> allophone_status {
    attempt {
        let description = try result(description, "description", allophone_level())
        let levels = (try object(codec, "codec") as CodecHandle).levels
        guard level < levels.count else {
            throw CallError.argument("level \(level), and the last is \(levels.count - 1)")
        }
        let found = levels[Int(level)]
        let kind =
            switch found {
            case .vq: ALLOPHONE_VQ
            case .bsq: ALLOPHONE_BSQ
            }
        description.pointee = allophone_level(
            kind: kind.rawValue, bits: UInt32(found.bits), largest_code: found.largestCode)
    }
}

@c @implementation
public func allophone_encode(
    _ codec: OpaquePointer?, _ samples: UnsafePointer<Float>?, _ count: Int, _ codes: UnsafeMutablePointer<UInt64>?,
    _ capacity: Int, _ frames: UnsafeMutablePointer<Int>?
) -> allophone_status {
    attempt {
        let frames = try result(frames, "frames", 0)
        let codec: CodecHandle = try object(codec, "codec")
        try encode(samples, count, by: { try codec.codec.makeEncoder() }, of: codec, codes, capacity, frames)
    }
}

@c @implementation
public func allophone_encode_searching(
    _ codec: OpaquePointer?, _ paths: UInt32, _ samples: UnsafePointer<Float>?, _ count: Int,
    _ codes: UnsafeMutablePointer<UInt64>?, _ capacity: Int, _ frames: UnsafeMutablePointer<Int>?
) -> allophone_status {
    attempt {
        let frames = try result(frames, "frames", 0)
        let codec: CodecHandle = try object(codec, "codec")
        let possible = SearchingCodec.possiblePaths
        guard possible.contains(Int(paths)) else {
            throw CallError.argument(
                "\(paths) paths, where \(possible.lowerBound) to \(possible.upperBound) are possible")
        }
        try encode(
            samples, count, by: { try codec.searching(paths: Int(paths)).makeEncoder() }, of: codec, codes,
            capacity, frames)
    }
}

/// Encodes a recording chunk by chunk.
private func encode(
    _ samples: UnsafePointer<Float>?, _ count: Int, by makeEncoder: () throws -> some StreamEncoder,
    of codec: CodecHandle,
    _ codes: UnsafeMutablePointer<UInt64>?, _ capacity: Int, _ frames: UnsafeMutablePointer<Int>
) throws {
    let samples = try array(samples, count, "samples")
    let needed = count / codec.hop + (count % codec.hop == 0 ? 0 : 1)
    let levelCount = codec.levels.count
    let codes = try room(codes, needed: needed, capacity: capacity, unit: levelCount, "codes")
    var stream = try makeEncoder()
    try NativeCodec.check(samples)
    var done = 0
    func take(_ tokens: TokenFrames) {
        _ = UnsafeMutableBufferPointer(rebasing: codes[(done * levelCount)...]).update(from: tokens.codes)
        done += tokens.count
    }
    let chunk = codec.codec.chunkSamples
    for start in stride(from: 0, to: count, by: chunk) {
        take(try stream.push(samples[start..<start + min(chunk, count - start)]))
    }
    take(try stream.finish())
    frames.pointee = done
}

@c @implementation
public func allophone_decode(
    _ codec: OpaquePointer?, _ codes: UnsafePointer<UInt64>?, _ frames: Int, _ samples: UnsafeMutablePointer<Float>?,
    _ capacity: Int, _ count: UnsafeMutablePointer<Int>?
) -> allophone_status {
    attempt {
        let count = try result(count, "count", 0)
        let codec: CodecHandle = try object(codec, "codec")
        let codes = try array(codes, frames: frames, of: codec)
        let needed = frames.multipliedReportingOverflow(by: codec.hop)
        guard !needed.overflow else { throw CallError.argument("\(frames) frames are more than memory has") }
        let samples = try room(samples, needed: needed.partialValue, capacity: capacity, "samples")
        var stream = try codec.codec.makeDecoder()
        let tokens = TokenFrames(codes: Array(codes), levelCount: codec.levels.count)
        try codec.codec.check(tokens)
        let chunk = codec.codec.blockFrames
        var done = 0
        for start in stride(from: 0, to: frames, by: chunk) {
            let sound = try stream.push(tokens[start..<start + min(chunk, frames - start)])
            _ = UnsafeMutableBufferPointer(rebasing: samples[done...]).update(from: sound)
            done += sound.count
        }
        let rest = try stream.finish()
        _ = UnsafeMutableBufferPointer(rebasing: samples[done...]).update(from: rest)
        count.pointee = done + rest.count
    }
}

/// Codes of so many frames.
func array(
    _ codes: UnsafePointer<UInt64>?, frames: Int, of codec: CodecHandle
) throws -> UnsafeBufferPointer<UInt64> {
    let count = frames.multipliedReportingOverflow(by: codec.levels.count)
    return try array(codes, count.overflow ? -1 : count.partialValue, "codes")
}
