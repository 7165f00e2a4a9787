import CKernels
import Testing

@Suite struct MemoryTests {
    @Test(arguments: [0, 1, 100, 5 << 20])
    func memoryIsAlignedAndWritable(size: Int) throws {
        let memory = try #require(ck_allocate(size))
        defer { ck_free(memory) }
        #expect(Int(bitPattern: memory) % 64 == 0)
        memory.initializeMemory(as: UInt8.self, repeating: 1, count: size)
    }

    @Test func tooMuchIsRefused() { #expect(ck_allocate(Int.max / 2) == nil) }
}
