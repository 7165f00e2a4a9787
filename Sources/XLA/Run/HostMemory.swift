#if canImport(Glibc)
    import CMalloc
    import Glibc
#endif

/// How this process gets and keeps the memory of the host.
public enum HostMemory {
    /// Keeps freed memory instead of giving it back, in huge pages where the kernel has them.
    ///
    /// XLA's CPU backend allocates the temporaries of a call at its start and frees them at its end. By default glibc maps
    /// blocks of that size afresh each time, so every page of every step faults: a fifth of a small model's training step. A
    /// setting of the whole process, so the program that trains decides on it; resident memory then stays at its largest.
    /// Call it before the process has a second thread: one that has allocated has a heap of its own, and XLA's threads would
    /// share that.
    ///
    /// - Parameter reserve: address space to set aside at once, in bytes, for huge pages. It costs nothing until it is used.
    public static func keepFreed(reserving reserve: Int = 4 << 30) {
        #if canImport(Glibc)
            // Large blocks come from the heap, which keeps what is freed, and the heap never shrinks.
            mallopt(M_MMAP_MAX, 0)
            // Of one heap: XLA allocates on its own threads, whose heaps are small and given back.
            mallopt(M_ARENA_MAX, 1)
            // -1 is never: any bound an Int32 can hold is below the reserve, which would be given back at once.
            mallopt(M_TRIM_THRESHOLD, -1)
            guard let block = malloc(reserve) else { return }
            let page = 2 << 20
            let start = (Int(bitPattern: block) + page - 1) / page * page
            madvise(UnsafeMutableRawPointer(bitPattern: start), reserve - page, MADV_HUGEPAGE)
            free(block)
        #endif
    }
    /// Gives freed memory back to the system, which glibc keeps for later where smaller blocks lie behind it.
    ///
    /// Worth a call where much has been freed for good, as a model's file once its weights are packed.
    public static func giveBackFreed() {
        #if canImport(Glibc)
            malloc_trim(0)
        #endif
    }
}
