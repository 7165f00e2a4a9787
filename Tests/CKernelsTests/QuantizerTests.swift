import CKernels
import Testing

@Suite struct QuantizerTests {
    @Test(arguments: instructionSets, [1, 8, 16, 19])
    func theNearestEntryHasTheGreatestProduct(isa: ck_isa, width: Int) {
        var noise = Noise(width)
        let (rows, count) = (15, 70)
        var (x, entries) = (noise.floats(rows * width), noise.floats(count * width))
        ck_normalize(x, width, rows, width, &x, width)
        ck_normalize(entries, width, count, width, &entries, width)
        var codes = [Int32](repeating: -1, count: rows)
        on(isa) { ck_nearest(x, width, entries, count, width, rows, &codes) }
        for row in 0..<rows {
            let products = (0..<count).map { entry in
                (0..<width).reduce(0) { $0 + Double(x[row * width + $1]) * Double(entries[entry * width + $1]) }
            }
            #expect(products[Int(codes[row])] >= products.max()! - 1e-6)
        }
    }

    @Test(arguments: instructionSets)
    func theLowestOfEqualsWins(isa: ck_isa) {
        let entries: [Float] = [0, 1, 1, 0, 1, 0, 0, 1]
        var codes: [Int32] = [-1, -1, -1]
        on(isa) { ck_nearest([1, 0, 0, 1, 0, 0], 2, entries, 4, 2, 3, &codes) }
        #expect(codes == [1, 0, 0])
    }

    @Test(arguments: instructionSets)
    func aNaNCountsAsGreatest(isa: ck_isa) {
        var codes: [Int32] = [-1, -1]
        on(isa) { ck_nearest([1, .nan], 1, [0.5, .nan, 1], 3, 1, 2, &codes) }
        #expect(codes == [1, 0])
    }

    @Test(arguments: instructionSets)
    func signsAreBits(isa: ck_isa) {
        let x: [Float] = [1, -1, 0, -0.0, 1e-40, -1e-40, .nan, .infinity]
        var (codes, y) = ([Int32](repeating: -1, count: 8), x)
        on(isa) { ck_signs(x, 8, 0.25, &codes, &y) }
        #expect(codes == [1, 0, 1, 1, 1, 0, 0, 1])
        #expect(y == codes.map { $0 == 1 ? 0.25 : -0.25 })
    }

    @Test(arguments: [1, 7, 8, 9, 18, 64])
    func bitsSurvivePacking(count: Int) {
        var noise = Noise(count)
        let codes = (0..<count).map { _ in Int32(noise.next() > 0 ? 1 : 0) }
        var (bytes, back) = ([UInt8](repeating: 0xFF, count: (count + 7) / 8), [Int32](repeating: -1, count: count))
        ck_pack_bits(codes, count, &bytes)
        ck_unpack_bits(bytes, count, &back)
        #expect(back == codes)
        #expect(bytes[0] & 1 == codes[0], "the first code in the lowest bit")
        #expect(count % 8 == 0 || bytes.last! >> (count % 8) == 0, "padded with zeros")
    }
}
