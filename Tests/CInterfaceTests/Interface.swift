import CAllophone
import Foundation
import TestSupport
import Tokenizer

/// A model file, and calls of the interface that are expected to go well.
struct Interface {
    let folder: TemporaryFolder
    let path: String
    let codec: OpaquePointer

    init(use: allophone_use = ALLOPHONE_ENCODE_AND_DECODE) throws {
        folder = try TemporaryFolder()
        let path = folder.file("model.safetensors")
        self.path = path
        let model = try smallModel()
        try ModelFile.write(weights(of: model), of: model, to: path)
        codec = try opened { allophone_codec_open(path, use.rawValue, ALLOPHONE_F32.rawValue, 1, $0) }
    }

    func encoder() throws -> OpaquePointer { try opened { allophone_encoder_create(codec, $0) } }
    func decoder() throws -> OpaquePointer { try opened { allophone_decoder_create(codec, $0) } }
}

/// A call that failed.
struct Failure: Error, CustomStringConvertible {
    let status: allophone_status
    let description = String(cString: allophone_error_message())
}

func succeed(_ status: allophone_status) throws {
    if status != ALLOPHONE_OK { throw Failure(status: status) }
}

func opened(_ call: (UnsafeMutablePointer<OpaquePointer?>) -> allophone_status) throws -> OpaquePointer {
    var handle: OpaquePointer?
    try succeed(call(&handle))
    return handle!
}

/// Pushes samples, with as much room as the header asks for.
func push(_ samples: [Float], to encoder: OpaquePointer, hop: Int = 24) throws -> [UInt64] {
    let capacity = (samples.count + hop - 1) / hop
    var codes = [UInt64](repeating: .max, count: capacity * 2)
    var frames = -1
    try succeed(allophone_encoder_push(encoder, samples, samples.count, &codes, capacity, &frames))
    return Array(codes[..<(frames * 2)])
}

func decode(_ codes: [UInt64], by decoder: OpaquePointer, hop: Int = 24) throws -> [Float] {
    var samples = [Float](repeating: .nan, count: codes.count / 2 * hop)
    var count = -1
    let capacity = samples.count
    try succeed(allophone_decoder_push(decoder, codes, codes.count / 2, &samples, capacity, &count))
    return Array(samples[..<count])
}

func flush(_ encoder: OpaquePointer) throws -> [UInt64] {
    var codes: [UInt64] = [.max, .max]
    var frames = -1
    try succeed(allophone_encoder_flush(encoder, &codes, 1, &frames))
    return Array(codes[..<(frames * 2)])
}
