extension NativeCodec {
    /// The steps of so many frames of silence at once on one thread, and the seconds that each took.
    public func profile(_ direction: Direction, frames: Int = 1) throws -> [(name: String, seconds: Double)] {
        try program(direction).profile(frames: frames)
    }
}
