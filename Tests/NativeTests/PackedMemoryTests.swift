import Foundation
import Testing

@testable import Native

@Suite struct PackedMemoryTests {
    @Test func weightsLieInOneBlockOneAfterAnother() {
        var memory = PackedMemory()
        memory.expect(elements: 7 * 33, columns: 33)
        memory.expect(elements: 64 * 64, columns: 64)
        // 33 outputs fill two blocks of 32.
        let (first, second) = (memory.take(7 * 64 * 4), memory.take(64 * 64 * 4))
        #expect(Int(bitPattern: first.pointer) % 64 == 0)
        #expect(second.pointer - first.pointer == 7 * 64 * 4)
    }

    @Test func whatWasNotExpectedHasMemoryOfItsOwn() {
        var memory = PackedMemory()
        memory.expect(elements: 32, columns: 32)
        let first = memory.take(64)
        let large = memory.take(1 << 20)
        #expect(Int(bitPattern: large.pointer) % 64 == 0)
        #expect(large.pointer >= first.pointer + 64 || large.pointer + large.byteCount <= first.pointer)
        memset(large.pointer, 1, large.byteCount)
        #expect(large.pointer.load(fromByteOffset: large.byteCount - 1, as: UInt8.self) == 1)
    }

    @Test func copiesOfAPoolNeverShareAPart() {
        var memory = PackedMemory()
        memory.expect(elements: 1 << 12, columns: 32)
        let first = memory.take(64)
        var copy = memory
        let (second, third) = (copy.take(64), memory.take(64))
        #expect(Set([first.pointer, second.pointer, third.pointer]).count == 3)
    }

    @Test func aBufferKeepsItsBlock() {
        var memory: PackedMemory? = PackedMemory()
        memory?.expect(elements: 1 << 20, columns: 32)
        let buffer = memory!.take(1 << 20)
        memory = nil
        memset(buffer.pointer, 7, buffer.byteCount)
        #expect(buffer.pointer.load(fromByteOffset: buffer.byteCount - 1, as: UInt8.self) == 7)
    }
}
