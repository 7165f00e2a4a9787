import CZlib

/// The CRC-32 of zlib, PNG and Ethernet (polynomial 0x04C11DB7, reflected), over bytes that come in pieces.
///
/// It finds damage, not forgery. zlib computes it at more than 1 GB/s, and every language's standard library has it.
package struct CRC32: Sendable, Hashable {
    package private(set) var value: UInt32 = 0

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
        value = UInt32(truncatingIfNeeded: crc32_z(UInt(value), start, bytes.count))
    }

    package mutating func update(_ bytes: some Sequence<UInt8>) {
        Array(bytes).withUnsafeBytes { update($0) }
    }
}
