#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Whether a file of Ogg has streams that begin after another's sound, as recordings of internet radio do (RFC 3533, section 4).
func isChainedOgg(_ bytes: (_ offset: Int, _ count: Int) -> [UInt8]?) -> Bool {
    let headerLength = 27
    var (offset, hasContent) = (0, false)
    while let header = bytes(offset, headerLength), header.starts(with: "OggS".utf8),
        let lengths = bytes(offset + headerLength, Int(header[26]))
    {
        let beginsStream = header[5] & 2 != 0
        if beginsStream && hasContent { return true }
        if !beginsStream { hasContent = true }
        offset += headerLength + lengths.count + lengths.reduce(0) { $0 + Int($1) }
    }
    return false
}

/// Whether anything comes through a pipe, for which it waits.
func hasMore(_ pipe: Int32) -> Bool {
    var byte: UInt8 = 0
    while true {
        let count = read(pipe, &byte, 1)
        if count != -1 || errno != EINTR { return count > 0 }
    }
}
