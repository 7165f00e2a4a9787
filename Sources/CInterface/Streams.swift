// The functions have the names of the header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CAllophone
import Codec
import Synchronization
import Tokenizer

/// What an `allophone_encoder` points to.
final class EncoderHandle: Sendable {
    let codec: CodecHandle
    let stream: Mutex<NativeCodec.Encoder>

    init(_ codec: CodecHandle, _ stream: NativeCodec.Encoder) {
        self.codec = codec
        self.stream = Mutex(stream)
    }
}

/// What an `allophone_decoder` points to.
final class DecoderHandle: Sendable {
    let codec: CodecHandle
    let stream: Mutex<NativeCodec.Decoder>

    init(_ codec: CodecHandle, _ stream: NativeCodec.Decoder) {
        self.codec = codec
        self.stream = Mutex(stream)
    }
}

@c @implementation
public func allophone_encoder_create(
    _ codec: OpaquePointer?, _ encoder: UnsafeMutablePointer<OpaquePointer?>?
) -> allophone_status {
    attempt {
        let encoder = try result(encoder, "encoder", nil)
        let codec: CodecHandle = try object(codec, "codec")
        encoder.pointee = handle(EncoderHandle(codec, try codec.codec.makeEncoder()))
    }
}

@c @implementation
public func allophone_encoder_push(
    _ encoder: OpaquePointer?, _ samples: UnsafePointer<Float>?, _ count: Int, _ codes: UnsafeMutablePointer<UInt64>?,
    _ capacity: Int, _ frames: UnsafeMutablePointer<Int>?
) -> allophone_status {
    attempt {
        let frames = try result(frames, "frames", 0)
        let encoder: EncoderHandle = try object(encoder, "encoder")
        let samples = try array(samples, count, "samples")
        try checkPush(samples: (count, false))
        try encoder.stream.withLock { stream in
            let needed = stream.frames(completedBy: count)
            let codes = try room(
                codes, needed: needed, capacity: capacity, unit: encoder.codec.levels.count, "codes")
            _ = codes.update(from: try stream.push(samples).codes)
            frames.pointee = needed
        }
    }
}

@c @implementation
public func allophone_encoder_flush(
    _ encoder: OpaquePointer?, _ codes: UnsafeMutablePointer<UInt64>?, _ capacity: Int,
    _ frames: UnsafeMutablePointer<Int>?
) -> allophone_status {
    attempt {
        let frames = try result(frames, "frames", 0)
        let encoder: EncoderHandle = try object(encoder, "encoder")
        try encoder.stream.withLock { stream in
            let needed = stream.frames(completedBy: encoder.codec.hop - 1)
            let codes = try room(
                codes, needed: needed, capacity: capacity, unit: encoder.codec.levels.count, "codes")
            _ = codes.update(from: try stream.finish().codes)
            frames.pointee = needed
        }
    }
}

@c @implementation
public func allophone_encoder_reset(_ encoder: OpaquePointer?) -> allophone_status {
    attempt { (try object(encoder, "encoder") as EncoderHandle).stream.withLock { $0.reset() } }
}

@c @implementation
public func allophone_encoder_clone(
    _ encoder: OpaquePointer?, _ clone: UnsafeMutablePointer<OpaquePointer?>?
) -> allophone_status {
    attempt {
        let clone = try result(clone, "clone", nil)
        let encoder: EncoderHandle = try object(encoder, "encoder")
        clone.pointee = handle(EncoderHandle(encoder.codec, encoder.stream.withLock { $0 }))
    }
}

@c @implementation
public func allophone_encoder_destroy(_ encoder: OpaquePointer?) { close(encoder) }

@c @implementation
public func allophone_decoder_create(
    _ codec: OpaquePointer?, _ decoder: UnsafeMutablePointer<OpaquePointer?>?
) -> allophone_status {
    attempt {
        let decoder = try result(decoder, "decoder", nil)
        let codec: CodecHandle = try object(codec, "codec")
        decoder.pointee = handle(DecoderHandle(codec, try codec.codec.makeDecoder()))
    }
}

@c @implementation
public func allophone_decoder_push(
    _ decoder: OpaquePointer?, _ codes: UnsafePointer<UInt64>?, _ frames: Int, _ samples: UnsafeMutablePointer<Float>?,
    _ capacity: Int, _ count: UnsafeMutablePointer<Int>?
) -> allophone_status {
    attempt {
        let count = try result(count, "count", 0)
        let decoder: DecoderHandle = try object(decoder, "decoder")
        let codes = try array(codes, frames: frames, of: decoder.codec)
        let needed = frames.multipliedReportingOverflow(by: decoder.codec.hop)
        try checkPush(samples: (needed.partialValue, needed.overflow))
        let samples = try room(samples, needed: needed.partialValue, capacity: capacity, "samples")
        let tokens = TokenFrames(codes: Array(codes), levelCount: decoder.codec.levels.count)
        count.pointee = try decoder.stream.withLock { stream in
            let sound = try stream.push(tokens)
            _ = samples.update(from: sound)
            return sound.count
        }
    }
}

@c @implementation
public func allophone_decoder_flush(
    _ decoder: OpaquePointer?, _ samples: UnsafeMutablePointer<Float>?, _ capacity: Int,
    _ count: UnsafeMutablePointer<Int>?
) -> allophone_status {
    attempt {
        let count = try result(count, "count", 0)
        let decoder: DecoderHandle = try object(decoder, "decoder")
        let delay = decoder.codec.codec.model.configuration.delaySamples
        let samples = try room(samples, needed: delay, capacity: capacity, "samples")
        count.pointee = try decoder.stream.withLock { stream in
            let sound = try stream.finish()
            _ = samples.update(from: sound)
            return sound.count
        }
    }
}

@c @implementation
public func allophone_decoder_reset(_ decoder: OpaquePointer?) -> allophone_status {
    attempt { (try object(decoder, "decoder") as DecoderHandle).stream.withLock { $0.reset() } }
}

@c @implementation
public func allophone_decoder_clone(
    _ decoder: OpaquePointer?, _ clone: UnsafeMutablePointer<OpaquePointer?>?
) -> allophone_status {
    attempt {
        let clone = try result(clone, "clone", nil)
        let decoder: DecoderHandle = try object(decoder, "decoder")
        clone.pointee = handle(DecoderHandle(decoder.codec, decoder.stream.withLock { $0 }))
    }
}

@c @implementation
public func allophone_decoder_destroy(_ decoder: OpaquePointer?) { close(decoder) }
