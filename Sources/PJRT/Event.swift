import CPJRT

/// The completion of work a device does on its own time: a transfer or an execution.
public final class Event: @unchecked Sendable {
    // Sendable: every property is immutable, and PJRT's events may be used from any thread.

    /// What completes with this event, as the end of the sentence "cannot …".
    public let operation: String

    private let client: Client
    private let handle: OpaquePointer

    /// Takes ownership of `handle`.
    init(adopting handle: OpaquePointer, operation: String, client: Client) {
        self.handle = handle
        self.operation = operation
        self.client = client
        LiveObjects.eventTally.increment()
    }

    deinit {
        client.plugin.release(client.plugin.api.pointee.PJRT_Event_Destroy) { $0.event = handle }
        LiveObjects.eventTally.decrement()
    }

    /// Whether the work is over, successfully or not.
    public var isReady: Bool {
        get throws {
            try client.plugin.call("ask for progress", client.plugin.api.pointee.PJRT_Event_IsReady) {
                $0.event = handle
            }.is_ready
        }
    }

    /// Blocks this thread until the work is over; throws the work's error.
    public func wait() throws {
        try client.plugin.call(operation, client.plugin.api.pointee.PJRT_Event_Await) { $0.event = handle }
    }

    /// Suspends this task until the work is over; throws the work's error. Cancelling the task does not stop the work.
    public func completed() async throws {
        let plugin = client.plugin
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            // The waiter holds no client: the callback runs on the plugin's own thread, and destroying a client there,
            // should its last reference go, would make that thread wait for itself.
            let waiter = Unmanaged.passRetained(Waiter(continuation, operation, plugin))
            do {
                try plugin.call(operation, plugin.api.pointee.PJRT_Event_OnReady) {
                    $0.event = handle
                    $0.user_arg = waiter.toOpaque()
                    $0.callback = { error, argument in
                        Unmanaged<Waiter>.fromOpaque(argument!).takeRetainedValue().resume(error)
                    }
                }
            } catch {
                // The callback was not registered, so it will not take the waiter. Whoever frees memory on this error
                // may do so only when the work no longer writes to it.
                try? wait()
                waiter.takeRetainedValue().resume(throwing: error)
            }
        }
        withExtendedLifetime(self) {}
    }

    private final class Waiter {
        private let continuation: CheckedContinuation<Void, any Error>
        private let operation: String
        private let plugin: Plugin

        init(_ continuation: CheckedContinuation<Void, any Error>, _ operation: String, _ plugin: Plugin) {
            self.continuation = continuation
            self.operation = operation
            self.plugin = plugin
        }

        /// `error` is owned by the callback.
        func resume(_ error: OpaquePointer?) {
            if let error {
                continuation.resume(throwing: PJRTError(consuming: error, operation: operation, plugin: plugin))
            } else {
                continuation.resume()
            }
        }

        func resume(throwing error: any Error) { continuation.resume(throwing: error) }
    }
}
