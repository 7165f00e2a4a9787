/// SHA-256 (FIPS 180-4) of a short message.
///
/// Fingerprints hash a few kilobytes. A cryptography package would add a minute to every clean build for these lines.
func sha256(_ message: [UInt8]) -> [UInt8] {
    var padded = message + [0x80]
    padded.append(contentsOf: repeatElement(0, count: (120 - padded.count % 64) % 64))
    padded.append(contentsOf: bigEndian(UInt64(message.count) * 8))

    var state = initialState
    var schedule = [UInt32](repeating: 0, count: 64)
    for block in stride(from: 0, to: padded.count, by: 64) {
        for word in 0..<16 {
            schedule[word] = padded[(block + 4 * word)..<(block + 4 * word + 4)].reduce(0) { $0 << 8 | UInt32($1) }
        }
        for word in 16..<64 {
            let (early, late) = (schedule[word - 15], schedule[word - 2])
            let small0 = rotated(early, 7) ^ rotated(early, 18) ^ early >> 3
            let small1 = rotated(late, 17) ^ rotated(late, 19) ^ late >> 10
            schedule[word] = schedule[word - 16] &+ small0 &+ schedule[word - 7] &+ small1
        }
        // FIPS 180-4 calls these eight a to h.
        var working = state
        for round in 0..<64 {
            let (a, b, c, e) = (working[0], working[1], working[2], working[4])
            let large1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
            let choice = (e & working[5]) ^ (~e & working[6])
            let first = working[7] &+ large1 &+ choice &+ roundConstants[round] &+ schedule[round]
            let large0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
            let majority = (a & b) ^ (a & c) ^ (b & c)
            working = [first &+ large0 &+ majority, a, b, c, working[3] &+ first, e, working[5], working[6]]
        }
        for index in 0..<8 { state[index] &+= working[index] }
    }
    return state.flatMap { bigEndian($0) }
}

private func rotated(_ value: UInt32, _ distance: UInt32) -> UInt32 { value >> distance | value << (32 - distance) }

private func bigEndian<Integer: FixedWidthInteger>(_ value: Integer) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
}

/// The first 32 bits of the fractions of the square roots of the first 8 primes.
private let initialState: [UInt32] = [
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
]

/// The first 32 bits of the fractions of the cube roots of the first 64 primes.
private let roundConstants: [UInt32] = [
    0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
    0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
    0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
    0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
    0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
    0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
    0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
    0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
]
