internal import Dispatch
internal import Synchronization

/// `body` of each element, in the order of the elements, computed by all cores.
///
/// - Throws: the first of the errors, in the order of the elements.
func inParallel<Element: Sendable, Value: Sendable, Failure: Error>(
    _ elements: [Element], _ body: @Sendable (Element) throws(Failure) -> Value
) throws(Failure) -> [Value] {
    let results = Mutex([Result<Value, Failure>?](repeating: nil, count: elements.count))
    DispatchQueue.concurrentPerform(iterations: elements.count) { index in
        let result: Result<Value, Failure>
        do throws(Failure) { result = .success(try body(elements[index])) } catch { result = .failure(error) }
        results.withLock { $0[index] = result }
    }
    var values: [Value] = []
    for result in results.withLock({ $0 }) { values.append(try result!.get()) }
    return values
}
