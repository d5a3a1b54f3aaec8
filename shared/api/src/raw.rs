//! DynamoDB's answers as the bytes that came: the SDK's typed deserializer is stepped around on success.
//!
//! The SDK does endpoints, signing, retries, timeouts and errors. What it would do with a page of items (a tree of attribute values, each
//! string escaped twice) costs four times what the rest of a request does. So an interceptor puts a deserializer of its own into the
//! operation's configuration: it keeps a successful body as it is, and hands everything else to the generated one.

use std::sync::{Arc, OnceLock};

use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeSerializationInterceptorContextMut};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            context::{Output, OutputOrError},
            dyn_dispatch_hint,
        },
        orchestrator::{HttpResponse, OrchestratorError},
        runtime_plugin::RuntimePlugin,
        ser_de::{DeserializeResponse, SharedResponseDeserializer},
    },
};
use aws_smithy_types::config_bag::FrozenLayer;
use bytes::Bytes;

/// Where the body of one successful call is put. Made for one call, and cloned into its interceptor.
#[derive(Debug, Clone)]
pub(crate) struct RawBody {
    body: Arc<OnceLock<Bytes>>,
    /// What the SDK is given in place of the typed answer; the operation's own type, empty.
    empty: fn() -> Output,
    /// The operation's own configuration, in which the generated deserializer stands; that one is for errors.
    operation: FrozenLayer,
}

impl RawBody {
    /// For a call of this operation, whose output `empty` makes an empty one of. `None` if the operation has no deserializer, which no
    /// generated operation is without.
    pub(crate) fn of(operation: &impl RuntimePlugin, empty: fn() -> Output) -> Option<Self> {
        let operation = operation.config()?;
        operation.load::<SharedResponseDeserializer>()?;
        Some(Self { body: Arc::default(), empty, operation })
    }

    /// The same for another call.
    pub(crate) fn fresh(&self) -> Self {
        Self { body: Arc::default(), ..self.clone() }
    }

    /// The body, after the call has succeeded.
    pub(crate) fn take(&self) -> Option<Bytes> {
        self.body.get().cloned()
    }
}

#[dyn_dispatch_hint]
impl Intercept for RawBody {
    fn name(&self) -> &'static str {
        "RawBody"
    }

    fn modify_before_serialization(
        &self,
        _: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().store_put(SharedResponseDeserializer::new(self.clone()));
        Ok(())
    }
}

impl DeserializeResponse for RawBody {
    fn deserialize_nonstreaming_with_config(&self, response: &HttpResponse, config: &ConfigBag) -> OutputOrError {
        match response.body().bytes() {
            Some(body) if response.status().is_success() => {
                // A repeat of the call cannot follow a success, so the slot is empty.
                let _ = self.body.set(Bytes::copy_from_slice(body));
                Ok((self.empty)())
            }
            _ => match self.operation.load::<SharedResponseDeserializer>() {
                Some(generated) => generated.deserialize_nonstreaming_with_config(response, config),
                None => Err(OrchestratorError::other("the operation has no deserializer")),
            },
        }
    }
}
