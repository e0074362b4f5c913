import EventLoop
import TestSupport

extension EndToEnd {
    /// The deployment of the tests of providers that send what they should not.
    @LoopActor enum Hostile {
        private static let started = Once {
            let deployment = try await Deployment.start(plan)
            return (deployment, try await deployment.makeUser())
        }

        static func deployment() async throws -> (Deployment, User) { try await started.value }

        static var plan: DeploymentPlan {
            var plan = DeploymentPlan()
            plan.models = """
                  - { id: bytes, candidates: [ { provider: scripted, model: bytes } ] }
                  - { id: elsewhere, candidates: [ { provider: scripted, model: elsewhere } ] }
                  - { id: brief-bytes, candidates: [ { provider: brief, model: bytes } ] }
                  - { id: native-bytes, candidates: [ { provider: native, model: bytes } ] }
                """
            plan.providers = { port in
                """
                  brief:
                    kind: openai
                    base_url: http://127.0.0.1:\(port)/v1
                    deadlines: { first_byte: 2, between_bytes: 1, total: 5 }
                    circuit_breaker: { failures: 0 }
                  native:
                    kind: ollama
                    base_url: http://127.0.0.1:\(port)
                    discover: false
                    circuit_breaker: { failures: 0 }
                """
            }
            return plan
        }
    }
}
