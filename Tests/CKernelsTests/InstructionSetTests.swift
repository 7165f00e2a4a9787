import CKernels
import Foundation
import Testing

@Suite struct InstructionSetTests {
    @Test func thePortableOneIsEverywhere() {
        #expect(ck_isa_available(CK_ISA_PORTABLE))
        #if arch(x86_64)
            #expect(!ck_isa_available(CK_ISA_NEON))
        #elseif arch(arm64)
            #expect(ck_isa_available(CK_ISA_NEON) && !ck_isa_available(CK_ISA_AVX2))
        #endif
    }

    @Test func oneThatIsNotThereIsRefused() {
        let before = ck_isa_current()
        #expect(!ck_isa_use(ck_isa(rawValue: 77)))
        #expect(ck_isa_current() == before)
    }

    @Test func theBestIsChosenUnlessTheEnvironmentNamesOne() {
        let wanted = ProcessInfo.processInfo.environment["ALLOPHONE_NATIVE_ISA"]
        let named = instructionSets.first { String(cString: ck_isa_name($0)) == wanted }
        #expect(ck_isa_current() == named ?? instructionSets.last!)
    }

    @Test func aThreadHasItsOwn() {
        let before = ck_isa_current()
        on(CK_ISA_PORTABLE) {
            #expect(ck_isa_current() == CK_ISA_PORTABLE)
            // Written before the thread is finished, read after.
            nonisolated(unsafe) var elsewhere = CK_ISA_PORTABLE
            let thread = Thread { elsewhere = ck_isa_current() }
            thread.start()
            while !thread.isFinished { usleep(1000) }
            #expect(elsewhere == before)
        }
    }
}
