"""The resource's models, and the CustomResourceDefinition made from them."""
