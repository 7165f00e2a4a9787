public import Tokenizer

extension Recipe {
    /// The game against discriminators; without any there is none.
    public struct Adversarial: Codable, Hashable, Sendable {
        public var discriminators = Discriminators.Configuration()
        public var loss: AdversarialLoss = .leastSquares
        /// How losses of several discriminators become one.
        public var reduction: Reduction = .sum
        /// How feature differences of a discriminator's layers become one.
        public var layerReduction: Reduction = .sum
        /// Of being taken for real, in the generator's loss.
        public var weight: Double = 1
        /// Of the difference of features.
        public var featureMatching: Double = 2
        /// The step from which discriminators learn.
        public var startStep: Int = 0
        /// How the generator comes to hear of them.
        public var warmup: Warmup = .none
        /// Steps that the warm-up takes, from `startStep`.
        public var warmupSteps: Int = 0
        /// Generator steps for each step of the discriminators.
        public var every: Int = 1
        public var optimizer = Optimizer()

        public enum Warmup: String, Choice {
            /// At once.
            case none
            /// Discriminators learn alone first, so that what they say means something.
            case alone
            /// Their weights rise linearly.
            case ramp
        }

        /// The discriminators' AdamW.
        public struct Optimizer: Codable, Hashable, Sendable {
            public var learningRate: Double = 1e-4
            public var beta1: Double = 0.8
            public var beta2: Double = 0.99
            public var weightDecay: Double = 1e-2
            /// Steps, from `startStep`, in which the learning rate rises linearly from 0.
            public var warmupSteps: Int = 0
            /// What a cosine brings the learning rate to at the last step, as a share of it.
            public var finalShare: Double = 0.05
            /// The largest norm of all gradients together.
            public var clipNorm: Double = 10

            public init() {}
        }

        public init() {}
    }
}

/// What is learned at a step. Each phase is a program of its own; which steps are of which depends on the step alone.
struct Phase: Hashable, Sendable {
    /// Whether discriminators learn.
    var trainsDiscriminators: Bool
    /// Whether the generator hears of them.
    var isAdversarial: Bool

    var name: String {
        switch (trainsDiscriminators, isAdversarial) {
        case (false, false): "train"
        case (true, false): "train-discriminators-alone"
        case (true, true): "train-adversarial"
        case (false, true): "train-generator"
        }
    }
}

extension Recipe.Adversarial {
    /// How many steps the discriminators have made before `step`, which is theirs: one a step alone, then one every `every`.
    ///
    /// - Returns: `(step - startStep) / divisor + offset`, with the divisor and offset of the step's phase.
    func pace(alone: Bool) -> (divisor: Int, offset: Int) {
        guard !alone else { return (1, 0) }
        let lone = warmup == .alone ? warmupSteps : 0
        return (every, lone - (lone + every - 1) / every)
    }

    /// How many steps the discriminators make before `step`.
    func steps(before step: Int) -> Int {
        let since = max(0, step - startStep)
        let isAlone = warmup == .alone && since <= warmupSteps
        let (divisor, offset) = pace(alone: isAlone)
        return (since + divisor - 1) / divisor + offset
    }
}

extension Recipe {
    /// What is learned at `step`, counted from zero.
    func phase(at step: Int) -> Phase {
        let since = step - adversarial.startStep
        guard !adversarial.discriminators.isEmpty, since >= 0 else {
            return Phase(trainsDiscriminators: false, isAdversarial: false)
        }
        let isAlone = adversarial.warmup == .alone && since < adversarial.warmupSteps
        return Phase(trainsDiscriminators: isAlone || since % adversarial.every == 0, isAdversarial: !isAlone)
    }
}
