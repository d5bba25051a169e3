//! What an engine takes as its processor.

use std::sync::Arc;

use super::in_batches::Batched;
use super::{BatchProcessor, Processor};

/// A [`Processor`] or a [`BatchProcessor`]. `Kind` tells them apart, and is always inferred.
pub trait IntoProcessor<Kind> {
    /// Returns it as a processor.
    fn into_processor(self) -> Arc<dyn Processor>;
}

/// Stands for a [`Processor`] in [`IntoProcessor`].
#[derive(Debug, Clone, Copy)]
pub enum OneByOne {}

/// Stands for a [`BatchProcessor`] in [`IntoProcessor`].
#[derive(Debug, Clone, Copy)]
pub enum InBatches {}

impl<P: Processor + 'static> IntoProcessor<OneByOne> for P {
    fn into_processor(self) -> Arc<dyn Processor> {
        Arc::new(self)
    }
}

impl<B: BatchProcessor + 'static> IntoProcessor<InBatches> for B {
    fn into_processor(self) -> Arc<dyn Processor> {
        Arc::new(Batched::new(self))
    }
}
