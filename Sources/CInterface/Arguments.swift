import CAllophone
import Tokenizer

/// The object behind a handle.
///
/// - Throws: `CallError` for `NULL`, and for a handle of another kind, which languages without types of pointers may pass.
func object<Object: AnyObject>(_ handle: OpaquePointer?, _ name: String) throws -> Object {
    guard let handle else { throw CallError.argument("\(name) is NULL") }
    let object = Unmanaged<AnyObject>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue()
    guard let object = object as? Object else { throw CallError.argument("\(name) is a handle of another kind") }
    return object
}

/// A handle that owns `object` until `close`.
func handle(_ object: some AnyObject) -> OpaquePointer {
    OpaquePointer(Unmanaged<AnyObject>.passRetained(object).toOpaque())
}

func close(_ handle: OpaquePointer?) {
    if let handle { Unmanaged<AnyObject>.fromOpaque(UnsafeRawPointer(handle)).release() }
}

/// Where a result goes; it holds `initial` unless the call succeeds.
func result<Value>(
    _ pointer: UnsafeMutablePointer<Value>?, _ name: String, _ initial: Value
) throws -> UnsafeMutablePointer<Value> {
    guard let pointer else { throw CallError.argument("\(name) is NULL") }
    pointer.pointee = initial
    return pointer
}

/// An array of the caller's. Sizes of C beyond `Int` arrive as negative numbers.
func array<Element>(
    _ pointer: UnsafePointer<Element>?, _ count: Int, _ name: String
) throws -> UnsafeBufferPointer<Element> {
    guard count >= 0, !count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride).overflow else {
        throw CallError.argument("\(UInt(bitPattern: count)) elements of \(name) are more than memory has")
    }
    guard pointer != nil || count == 0 else { throw CallError.argument("\(name) is NULL") }
    return UnsafeBufferPointer(start: pointer, count: count)
}

/// Room for results of the caller's.
///
/// - Parameters:
///   - needed, capacity: in units of `unit` elements.
func room<Element>(
    _ pointer: UnsafeMutablePointer<Element>?, needed: Int, capacity: Int, unit: Int = 1, _ name: String
) throws -> UnsafeMutableBufferPointer<Element> {
    // Room for more than memory has is room enough.
    guard capacity < 0 || capacity >= needed else {
        throw CallError(
            status: ALLOPHONE_ERROR_CAPACITY,
            description: "\(name) has room for \(capacity), and \(needed) are needed: give a larger array")
    }
    guard pointer != nil || needed == 0 else { throw CallError.argument("\(name) is NULL") }
    return UnsafeMutableBufferPointer(start: pointer, count: needed * unit)
}

/// - Throws: `CallError` if a push would take, or give, more samples than one may.
func checkPush(samples: (count: Int, overflow: Bool)) throws {
    guard !samples.overflow, samples.count <= 1 << 24 else {
        throw CallError.argument("a push of more than \(1 << 24) samples: give them in smaller pieces")
    }
}
