import CCrypto

/// SHA-256, or SHA-1 as Git names files with, of bytes that arrive piece by piece, at the processor's speed (OpenSSL).
final class Digest {
    private let context: OpaquePointer?

    /// - Parameter hash: what the result is to be compared with, by whose length the algorithm is chosen.
    init(like hash: String, byteCount: Int) {
        context = EVP_MD_CTX_new()
        if hash.count == 64 {
            EVP_DigestInit_ex(context, EVP_sha256(), nil)
        } else {
            EVP_DigestInit_ex(context, EVP_sha1(), nil)
            // A blob of Git's begins with its kind and length.
            Array("blob \(byteCount)\0".utf8).withUnsafeBytes(update)
        }
    }

    deinit { EVP_MD_CTX_free(context) }

    func update(_ bytes: UnsafeRawBufferPointer) { EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) }

    /// In hexadecimal. Nothing can be added after it.
    func finish() -> String {
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        EVP_DigestFinal_ex(context, &bytes, &count)
        return bytes.prefix(Int(count)).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}
