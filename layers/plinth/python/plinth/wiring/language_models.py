"""Which adapter speaks to which provider of models. Only the function that calls models imports a model SDK."""

from functools import partial
from typing import TYPE_CHECKING

from plinth.chain.catalogue import Provider
from plinth.ports.models import LanguageModel
from plinth.settings import Settings

if TYPE_CHECKING:
    from plinth.adapters.provider_tokens import Token


def language_model_of(provider: Provider, settings: Settings) -> LanguageModel:
    """Return a provider's adapter, or raise `SettingMissingError` where the environment has none."""
    match provider:
        case "anthropic":
            return _anthropic(settings)
        case "openai":
            from plinth.adapters.openai_model import OpenAiModel

            return OpenAiModel(settings.openai_url, token=_key(settings.openai_secret_arn))
        case "sagemaker":
            from plinth.adapters.sagemaker_model import SageMakerModel

            return SageMakerModel(settings.model_endpoint, component=settings.model_component)
        case "sagemaker_openai":
            from plinth.adapters.chat_bodies import SELF_HOSTED
            from plinth.adapters.openai_model import OpenAiModel
            from plinth.adapters.sagemaker_bearer import sagemaker_token

            token = sagemaker_token(settings.region)
            return OpenAiModel(settings.model_endpoint_url, token=token, dialect=SELF_HOSTED)


def _anthropic(settings: Settings) -> LanguageModel:
    if settings.anthropic_access == "aws":
        region, workspace = settings.region, settings.anthropic_workspace
        from plinth.adapters.anthropic_model import on_aws

        return on_aws(region=region, workspace=workspace)
    key = _key(settings.anthropic_secret_arn)
    from plinth.adapters.anthropic_model import with_key

    return with_key(key)


def _key(secret_arn: str) -> "Token":
    from plinth.adapters.provider_tokens import SECRET_SECONDS, Token, key_from_secret

    return Token(partial(key_from_secret, secret_arn), life_seconds=SECRET_SECONDS)
