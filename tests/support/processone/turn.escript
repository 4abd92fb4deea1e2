#!/usr/bin/env escript
%%! -hidden
%% A TURN server on processone's library, as in eturnal and ejabberd, for the lab. An argument is KEY=VALUE, with an
%% Erlang term for a value: listen={127,0,0,1} udp=3478 tcp=3478 tls=5349 certfile="..." user={"alice","wonderland"}
%% option={turn_max_port,50000}. It prints "ready", and then "allocations N" whenever their number has changed.

main(Words) ->
    Main = self(),
    Told = fun(turn_session_start, _) -> Main ! 1;
              (turn_session_stop, _) -> Main ! -1;
              (_, _) -> ok
           end,
    Given = [{option, {hook_fun, Told}} | [term(Word) || Word <- Words]],
    logger:set_primary_config(level, error),
    {ok, _} = application:ensure_all_started(stun),
    Listen = proplists:get_value(listen, Given, {127, 0, 0, 1}),
    [listen(Listen, Kind, Port, Given) || {Kind, Port} <- Given, lists:member(Kind, [udp, tcp, tls])],
    io:format("ready~n"),
    count(0).

term(Word) ->
    [Key, Value] = string:split(Word, "="),
    {ok, Tokens, _} = erl_scan:string(Value ++ "."),
    {ok, Term} = erl_parse:parse_term(Tokens),
    {list_to_atom(Key), Term}.

listen(Listen, Kind, Port, Given) ->
    Transport = case Kind of udp -> udp; _ -> tcp end,
    Secure = case Kind of tls -> [{tls, true}, {certfile, proplists:get_value(certfile, Given)}]; _ -> [] end,
    ok = stun_listener:add_listener(Listen, Port, Transport, Secure ++ options(Listen, Given)).

options(Listen, Given) ->
    {Name, Password} = proplists:get_value(user, Given, {"alice", "wonderland"}),
    Let = list_to_binary(Name),
    Authorize = fun(User, _Realm) when User =:= Let -> list_to_binary(Password);
                   (_, _) -> <<"">>
                end,
    Own = proplists:get_all_values(option, Given),
    Default = [{use_turn, true}, {turn_ipv4_address, Listen}, {auth_type, user}, {auth_realm, <<"processone.test">>}],
    Kept = [Pair || {Key, _} = Pair <- Default, not proplists:is_defined(Key, Own)],
    [{auth_fun, Authorize}] ++ Own ++ Kept.

count(Now) ->
    receive
        Change ->
            io:format("allocations ~b~n", [Now + Change]),
            count(Now + Change)
    end.
