import CPJRT

extension Plugin {
    /// A function of the plugin's table; nil where the plugin is older than the function.
    typealias Function<Arguments> = ((UnsafeMutablePointer<Arguments>?) -> OpaquePointer?)?

    /// Calls `function` and returns its arguments with the outputs filled in, or throws the plugin's error.
    ///
    /// `operation` completes the sentence "cannot …". Pointers stored by `fill` must stay valid until this returns.
    @discardableResult
    func call<Arguments>(
        _ operation: @autoclosure () -> String, _ function: Function<Arguments>, _ fill: (inout Arguments) -> Void
    ) throws -> Arguments {
        guard let function else {
            throw PJRTError(
                code: .unimplemented, operation: operation(),
                message: "the plugin's API \(apiVersion) has no such function", plugin: path)
        }
        return try withFrame(of: Arguments.self) { frame in
            fill(&frame.pointee)
            if let error = function(frame) {
                throw PJRTError(consuming: error, operation: operation(), plugin: self)
            }
            return frame.pointee
        }
    }

    /// Calls a `Destroy` function, whose failure has nowhere to be reported.
    func release<Arguments>(_ function: Function<Arguments>, _ fill: (inout Arguments) -> Void) {
        _ = try? call("release a resource", function, fill)
    }
}

/// Room after the header's struct, for the fields of plugins newer than the header.
private let slack = 512

/// Gives `body` a zeroed `Frame` that says it is larger than the header's struct, and is.
///
/// A plugin refuses a struct smaller than its own and accepts a larger one; the fields a newer plugin adds read as
/// zero, which PJRT defines as "not given". Every PJRT struct begins with its `size_t struct_size`.
func withFrame<Frame, Result>(
    of type: Frame.Type, _ body: (UnsafeMutablePointer<Frame>) throws -> Result
) rethrows -> Result {
    let byteCount = MemoryLayout<Frame>.size + slack
    return try withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 16) { bytes in
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        bytes.storeBytes(of: byteCount, as: Int.self)
        return try bytes.withMemoryRebound(to: Frame.self) { frames in
            try body(frames.baseAddress!)
        }
    }
}
